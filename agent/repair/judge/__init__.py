"""Judges plausible patches: which behave alike, what tells them apart, how far one is believed."""

from agent.repair.judge.labels import Extent as Extent
from agent.repair.judge.labels import confidence as confidence
from agent.repair.judge.labels import explain as explain
from agent.repair.judge.order import distinct as distinct
from agent.repair.judge.order import ranked as ranked
