"""Who gets how much of a block that was filled only in part: pro rata by largest remainder.

Source: domain.md, section 4.7; Hamilton's method of apportionment.
"""

from __future__ import annotations

from collections.abc import Sequence


def largest_remainder(filled: int, wanted: Sequence[int]) -> list[int]:
    """Split a partial fill in proportion to what was wanted, in whole lots.

    Everybody gets the whole part of its share; the lots left over go one by one to the largest
    remainders, and between equal ones to who stands first. Followers stand in the order of the
    day's seed, so that it decides ties too.

    Args:
        filled: lots that there are, 0 or more.
        wanted: lots that each wants, 0 or more, in the order in which they are served.

    Returns:
        Lots for each, at most what it wants; together `filled`, or all wants if they are fewer.
    """
    total = sum(wanted)
    if filled >= total:
        return list(wanted)
    shares = [filled * each // total for each in wanted]
    left = filled - sum(shares)
    by_remainder = sorted(range(len(wanted)), key=lambda at: (-(filled * wanted[at] % total), at))
    for at in by_remainder[:left]:
        shares[at] += 1
    return shares
