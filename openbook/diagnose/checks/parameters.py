"""Parameters that nobody moves."""

from __future__ import annotations

from typing import Any

from openbook.diagnose.case import Case
from openbook.diagnose.check import Check, Fix, Subject, Suspicion
from openbook.diagnose.checks.probe import joint_norm, norm_by_differences
from openbook.diagnose.facts import facts_of
from openbook.record import Step, Witness, given

__all__ = ["OutsideTheOptimizer"]

EVIDENCE = "Evidence"


class OutsideTheOptimizer(Check):
    """Parameters with a gradient that are in none of the optimiser's groups."""

    code = "OB005"
    title = "parameters outside the optimiser"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        if subject.optimizer is None or facts_of(case).problem:
            return None
        inside = {id(p) for group in case.optimizer.param_groups for p in group["params"]}
        outside = [n for n, p in case.model.named_parameters() if p.requires_grad and id(p) not in inside]
        if not outside:
            return None
        exact = case.exact
        model, loss, _ = exact.copies()
        with exact.engine.recording(), exact.engine.seeded(0):
            _, parameters, found = exact.value_and_gradients(model, loss, exact.sample)
        names = [n for n, p in model.named_parameters() if p.requires_grad]
        gradients = {n: g for n, g in zip(names, found, strict=True) if n in outside and g is not None}
        norm = joint_norm(list(gradients.values()))
        if norm == 0:
            return None
        sizes = {n: tuple(p.shape) for n, p in model.named_parameters()}
        count = given("parameters outside", len(outside), f"of {len(sizes)}: {', '.join(outside[:4])}", EVIDENCE)
        size = Step("‖g‖", norm, rule="norm of their gradient", why="they would be moved if anybody moved them",
                    part=EVIDENCE, witnesses=(Witness(
                        "central differences of the loss along it",
                        lambda: norm_by_differences(exact, list(gradients), list(gradients.values())), rtol=1e-4),))  # fmt: skip
        del parameters

        def added(start: Case) -> Case:
            def edit(copied: Any, optimizer: Any) -> None:
                own = dict(copied.named_parameters())
                optimizer.add_param_group({"params": [own[n] for n in outside]})

            return start.edited(edit)

        whole = len(outside) == len(names)
        return Suspicion(
            where=", ".join(outside[:3]) + (" …" if len(outside) > 3 else ""),
            says="The optimiser holds none of this model's parameters." if whole
            else "The loss depends on parameters that the optimiser does not hold: they stay as they were drawn.",
            evidence=(count, size),
            fixes=(Fix("hand the optimiser model.parameters(), after the model is complete", added),),
        )  # fmt: skip
