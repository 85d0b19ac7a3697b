"""When an hour of events closes. Pure: the clock and all that is known of the topic come in, hours come out.

An hour is written `2024-03-01T09`, in UTC. Times are seconds since 1970.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

HOUR = 3600
FORM = "%Y-%m-%dT%H"


def hour_name(time: float) -> str:
    return datetime.fromtimestamp(time, timezone.utc).strftime(FORM)


def hour_start(hour: str) -> datetime:
    return datetime.strptime(hour, FORM).replace(tzinfo=timezone.utc)


def hour_number(hour: str) -> int:
    """Hours since 1970: neighbours differ by one."""
    return int(hour_start(hour).timestamp()) // HOUR


def hour_end(hour: str) -> int:
    return (hour_number(hour) + 1) * HOUR


@dataclass(frozen=True)
class Partition:
    """One partition of the source topic, as it is known now."""

    latest: float | None
    """The greatest event time in it; None before its first event."""
    last_rise: float
    """When that last became greater, by this machine's clock. Records that are no events, and old events, do not count."""
    unread: int | None
    """Records that are not read yet; None while Kafka does not say."""

    def is_idle(self, now: float, grace: float) -> bool:
        """Nothing is left to read, and for `grace` no later event has come. Without an answer of Kafka it is not idle."""
        return self.unread == 0 and now - self.last_rise >= grace


def is_due(hour: str, partitions: Iterable[Partition], now: float, lateness: float, grace: float) -> bool:
    """Whether an hour closes.

    It closes when each partition has events that are `lateness` past its end, or is idle. So an idle partition holds nothing
    up, and one with a backlog does. On a quiet topic, where no partition has passed the end, the clock must have passed it.
    """
    limit = hour_end(hour) + lateness
    all_partitions = list(partitions)
    passed = [each.latest is not None and each.latest >= limit for each in all_partitions]
    if not all(done or each.is_idle(now, grace) for done, each in zip(passed, all_partitions, strict=True)):
        return False
    return any(passed) or (bool(all_partitions) and now >= limit)


def is_relanding_due(first_staged: float, now: float, grace: float) -> bool:
    """Late events of a closed hour wait for `grace`, so that they land together and not one by one."""
    return now - first_staged >= grace


class Hours:
    """A set of hours, kept as ranges: a year without a gap is one range."""

    def __init__(self, ranges: Iterable[Iterable[int]] = ()):
        self.ranges = [list(each) for each in ranges]

    def __contains__(self, hour: str) -> bool:
        number = hour_number(hour)
        return any(first <= number <= last for first, last in self.ranges)

    def add(self, hour: str) -> None:
        if hour in self:
            return
        number = hour_number(hour)
        merged: list[list[int]] = []
        for first, last in sorted([*self.ranges, [number, number]]):
            if merged and first <= merged[-1][1] + 1:
                merged[-1][1] = max(last, merged[-1][1])
            else:
                merged.append([first, last])
        self.ranges = merged
