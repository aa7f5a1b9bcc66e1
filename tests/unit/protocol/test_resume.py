import pytest

from streams.ports import ChannelInfo
from streams.protocol.operations import ResumePoint
from streams.protocol.resume import history_path, plan_subscription, subscription_entry
from tests.counter_replica import CounterReplica


# channel (book: conflatable, signals: lossless; both at 10, remembering 4) | from | mode
# | after | why | history
PLANS = """
book:A      | -     | snapshot | 10 | -       | no
book:A      | e1 10 | resumed  | 10 | -       | no
book:A      | e1 6  | resumed  | 6  | -       | no
book:A      | e1 5  | snapshot | 10 | TOO_OLD | no
book:A      | e1 11 | snapshot | 10 | AHEAD   | no
book:A      | e0 10 | snapshot | 10 | EPOCH   | no
signals:t_1 | -     | live     | 10 | -       | no
signals:t_1 | e1 10 | resumed  | 10 | -       | no
signals:t_1 | e1 6  | resumed  | 6  | -       | no
signals:t_1 | e1 5  | live     | 10 | TOO_OLD | yes
signals:t_1 | e1 11 | live     | 10 | AHEAD   | yes
signals:t_1 | e0 6  | live     | 10 | EPOCH   | yes
"""


@pytest.mark.parametrize("line", PLANS.strip().splitlines())
def test_how_a_subscription_begins(line: str) -> None:
    channel, start, mode, after, why, history = (cell.strip() for cell in line.split("|"))
    source = CounterReplica(history_max=4)
    for _ in range(10):
        source.bump(channel)
    info = source.resolve(channel, None)
    assert isinstance(info, ChannelInfo)
    epoch, _, seq = start.partition(" ")
    resume = None if start == "-" else ResumePoint(epoch, int(seq))

    plan = plan_subscription(source, info, resume)

    assert (10, mode, int(after)) == (plan.seq, plan.mode, plan.after_seq)
    assert (None if why == "-" else why) == plan.why
    assert (history == "yes") == (plan.history is not None)


def test_the_entry_of_the_answer() -> None:
    source = CounterReplica(history_max=1)
    for _ in range(3):
        source.bump("signals:t_1")
    info = ChannelInfo("signals:t_1", "signals:t_1", conflatable=False)
    plan = plan_subscription(source, info, ResumePoint("e1", 1))
    assert subscription_entry(info, source.epoch, plan) == {
        "ch": "signals:t_1",
        "epoch": "e1",
        "seq": 3,
        "mode": "live",
        "why": "TOO_OLD",
        "history": "/v1/stream/history?ch=signals:t_1&epoch=e1&after_seq=1",
    }


def test_a_history_path_is_escaped() -> None:
    path = history_path("ideas:A&b=c", ResumePoint("e/1 &", 7))
    assert path == "/v1/stream/history?ch=ideas:A%26b%3Dc&epoch=e%2F1%20%26&after_seq=7"
