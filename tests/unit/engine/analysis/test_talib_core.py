"""TA-Lib comes without pandas, and leaves its package to those who want it."""

import subprocess
import sys

LOADS = """
import sys
import numpy as np
from engine.analysis.talib_core import talib
closes = np.arange(1.0, 31.0) % 7
alone = talib().RSI(closes, 14)[-1]
assert "pandas" not in sys.modules
import pandas, talib as package
assert package.RSI(pandas.Series(closes), 14).iloc[-1] == alone
assert talib() is talib()
"""


def test_it_needs_no_pandas_and_the_package_still_takes_its_columns():
    subprocess.run([sys.executable, "-c", LOADS], check=True)


AFTER_PANDAS = """
import pandas
from engine.analysis.talib_core import talib
assert not hasattr(talib().RSI, "__wrapped__")
import pandas as still
assert still is pandas
"""


def test_no_call_is_looked_through_for_columns_of_pandas_that_was_loaded_before():
    subprocess.run([sys.executable, "-c", AFTER_PANDAS], check=True)
