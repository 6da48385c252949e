"""The family crosses process borders: here, as the corpora's workers are what raises it elsewhere."""

import copy
import pickle

import pytest

from lipbench.corpora.alignments import AlignmentError
from lipbench.corpora.landmarks import FaceError
from lipbench.corpora.manifest import StoreError
from lipbench.corpora.video import VideoError
from lipbench.errors import UnknownNameError, UserError

FAMILY = [
    UserError("the disk is full", remedy="Empty it"),
    UnknownNameError("split", "publik", ["public", "random"]),
    AlignmentError("the alignment is empty"),
    StoreError("no store", remedy="Make one"),
    VideoError("no video", remedy="Film one"),
    FaceError("no face", remedy="Look here"),
]


@pytest.mark.parametrize("error", FAMILY, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("travel", [copy.copy, *(lambda e, p=p: pickle.loads(pickle.dumps(e, p)) for p in (0, 2, 5))])
def test_errors_travel_between_processes(error, travel):
    arrived = travel(error)
    assert type(arrived) is type(error)
    assert (str(arrived), arrived.problem, arrived.remedy) == (str(error), error.problem, error.remedy)
