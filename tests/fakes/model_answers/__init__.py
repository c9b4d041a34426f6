"""Answers of language models to a brief, by chance from a seed: honest ones, and such with one planted falsehood.

Written by somebody who had not seen the validator, from what is asked of it: *false prices, wrong symbols and invented
figures are refused, honest answers pass*.
"""

from tests.fakes.model_answers.cases import Case
from tests.fakes.model_answers.planted import PLANTS, false, honest

__all__ = ["PLANTS", "Case", "false", "honest"]
