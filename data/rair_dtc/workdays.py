"""When the clinic is open: Monday to Friday, save on public holidays of China.

Days off as announced each year by the General Office of the State Council (gov.cn, "notice on the arrangement of
holidays"), weekends that were moved to join them included; in 2020 the Spring Festival was lengthened to 2 February.
Weekends worked in exchange are not used.
"""

from __future__ import annotations

__all__ = ["PANDEMIC", "is_open"]

import datetime as dt

# First and last day off: New Year, Spring Festival, Qingming, Labour Day, Dragon Boat, Mid-Autumn, National Day.
HOLIDAYS = """
2018-01-01 2018-01-01, 2018-02-15 2018-02-21, 2018-04-05 2018-04-07, 2018-04-29 2018-05-01, 2018-06-16 2018-06-18,
2018-09-22 2018-09-24, 2018-10-01 2018-10-07, 2018-12-30 2019-01-01,
2019-02-04 2019-02-10, 2019-04-05 2019-04-07, 2019-05-01 2019-05-04, 2019-06-07 2019-06-09, 2019-09-13 2019-09-15,
2019-10-01 2019-10-07,
2020-01-01 2020-01-01, 2020-01-24 2020-02-02, 2020-04-04 2020-04-06, 2020-05-01 2020-05-05, 2020-06-25 2020-06-27,
2020-10-01 2020-10-08,
2021-01-01 2021-01-03, 2021-02-11 2021-02-17, 2021-04-03 2021-04-05, 2021-05-01 2021-05-05, 2021-06-12 2021-06-14,
2021-09-19 2021-09-21, 2021-10-01 2021-10-07,
2022-01-01 2022-01-03, 2022-01-31 2022-02-06, 2022-04-03 2022-04-05, 2022-04-30 2022-05-04, 2022-06-03 2022-06-05,
2022-09-10 2022-09-12, 2022-10-01 2022-10-07, 2022-12-31 2023-01-02,
2023-01-21 2023-01-27, 2023-04-05 2023-04-05, 2023-04-29 2023-05-03, 2023-06-22 2023-06-24, 2023-09-29 2023-10-06,
2023-12-30 2024-01-01,
2024-02-10 2024-02-17, 2024-04-04 2024-04-06, 2024-05-01 2024-05-05, 2024-06-08 2024-06-10, 2024-09-15 2024-09-17,
2024-10-01 2024-10-07,
2025-01-01 2025-01-01, 2025-01-28 2025-02-04
"""
# Weeks in which outpatients stayed at home: more scans and samples were missed (assumed).
PANDEMIC = (dt.date(2020, 1, 20), dt.date(2020, 3, 22))


def _days_off() -> frozenset[dt.date]:
    spans = [[dt.date.fromisoformat(day) for day in span.split()] for span in HOLIDAYS.strip().split(",")]
    return frozenset(first + dt.timedelta(days=i) for first, last in spans for i in range((last - first).days + 1))


_OFF = _days_off()


def is_open(day: dt.date) -> bool:
    """Whether outpatients are seen and implantations planned on this day."""
    return day.weekday() < 5 and day not in _OFF
