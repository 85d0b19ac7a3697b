"""Attempts of runs: one that was lost may still be at work on another machine, and end after its successor."""

from collections.abc import Mapping


class Attempt:
    """Which attempt of which run this is. A start by hand has no job id."""

    def __init__(self, run_key: str, job_id: str, number: int):
        self.run_key = run_key
        self.job_id = job_id
        self.number = number

    @staticmethod
    def of(environment: Mapping[str, str], by_hand: str) -> "Attempt":
        """The attempt that the client has started; `by_hand` is the run's key where no client has."""
        number = int(environment.get("HIPPO_ATTEMPT") or 0)
        return Attempt(environment.get("HIPPO_RUN_KEY") or by_hand, environment.get("HIPPO_JOB_ID") or "", number)

    @property
    def order(self) -> tuple[int, int]:
        """Rises from attempt to attempt: the second in a job id rises from one firing of a job to the next."""
        second = self.job_id.rpartition("_")[2]
        return int(second) if second.isdigit() else 0, self.number
