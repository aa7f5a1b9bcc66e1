from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from streams.core.state import CopySettings
from streams.core.view import settings_view
from streams.core.view.settings import SETTINGS
from streams.ports import CommandError
from streams.replica.copy_settings import copy_patch
from streams.replica.requests import CopySettingsPatch


# what a client writes -> what the log carries
SPELLINGS = """
{"allocation": "12.5"} -> allocation_micros 12500000
{"mode": "expression"} -> mode "expression"
{"multiplier": 1.5} -> multiplier_ppm 1500000
{"copy_stop": "0.4"} -> copy_stop_bps 4000
{"fixed_quantity": "0.000000001"} -> fixed_quantity_nanos 1
{"symbols_deny": ["BTC"]} -> symbols_deny ["BTC"]
{"symbol_multipliers": {"BTC": "0.5"}} -> symbol_multipliers {"BTC": 500000}
{"symbol_map": {"BTC": "ETH"}} -> symbol_map {"BTC": "ETH"}
{"session_windows": [{"days": ["mon", "sun"], "from": "09:30", "to": "24:00"}]} -> session_windows [[65, 570, 1440]]
{"news_windows": [{"symbol": "*", "from": "1970-01-01T00:00:01Z", "to": "1970-01-02T01:00:00+01:00"}]} -> news_windows [["*", 1000000, 86400000000]]
{"reverse": false} -> reverse false
{"notify_losses": [100]} -> notify_loss_bps [100]
"""  # noqa: E501 - a table


def patched(text: str) -> dict[str, Any]:
    return copy_patch(msgspec.json.decode(text, type=CopySettingsPatch))


@pytest.mark.parametrize("row", SPELLINGS.strip().splitlines())
def test_a_setting_is_read(row: str) -> None:
    text, expected = row.split(" -> ")
    field, value = expected.split(" ", 1)
    assert json.loads(json.dumps(patched(text))) == {field: json.loads(value)}


REFUSED = """
{"fixed_quantity": "0.0000000001"} -> fixed_quantity
{"fixed_quantity": "x"} -> fixed_quantity
{"allocation": "x"} -> allocation
{"risk": 0.00001} -> risk
{"symbol_multipliers": {"BTC": "x"}} -> symbol_multipliers
{"news_windows": [{"symbol": "*", "from": "1970-01-01T00:00:01", "to": "1970-01-02T00:00:00Z"}]} -> news_windows
"""  # noqa: E501 - a table


@pytest.mark.parametrize("row", REFUSED.strip().splitlines())
def test_a_setting_is_refused_by_its_name(row: str) -> None:
    text, field = row.split(" -> ")
    with pytest.raises(CommandError) as caught:
        patched(text)
    assert (caught.value.code, caught.value.field) == ("INVALID_ARGUMENT", field)


def test_what_is_shown_can_be_sent_back() -> None:
    settings = CopySettings(
        5_000_000,
        symbol_multipliers={"BTC": 500_000},
        session_windows=((65, 570, 1_440),),
        news_windows=(("*", 1_000_000, 2_000_000),),
        daily_loss_bps=100,
    )
    shown = {name: value for name, value in settings_view(settings).items() if value is not None}
    sent = patched(json.dumps(shown))
    expected = {field: getattr(settings, field) for field in sent}
    assert json.loads(json.dumps(sent)) == json.loads(json.dumps(expected))


def test_every_setting_has_a_name() -> None:
    assert [setting.field for setting in SETTINGS] == list(CopySettings.__struct_fields__)
    assert [setting.name for setting in SETTINGS] == list(CopySettingsPatch.__struct_fields__)
