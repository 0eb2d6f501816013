def explain_output(run, at, top): raise NotImplementedError
