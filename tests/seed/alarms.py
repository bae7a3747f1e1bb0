"""Composite alarms, which the emulator keeps and shows; it has no operation that makes one."""

from account import HOME, Account


def composite(account: Account, name: str, rule: str, actions: list[str], enabled: bool = True) -> None:
    account.backend("cloudwatch", HOME).put_metric_alarm(
        name=name, namespace=None, metric_name=None, comparison_operator=None, evaluation_periods=None, period=None,
        threshold=None, statistic=None, description=name, dimensions=[], alarm_actions=actions, rule=rule,
        actions_enabled=enabled,
    )
