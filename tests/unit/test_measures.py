"""Measures by ir_measures' names: those it leaves to others are the papers' own."""

from __future__ import annotations

import random
import shutil

import ir_measures
import pytest

from densehook.errors import EvaluationError
from densehook.evaluation import DEFAULT_MEASURES, check_measures, measure_queries
from densehook.evaluation.judged import JUDGED, judged_of, warnings
from densehook.evaluation.measures import means
from densehook.evaluation.official import words_of
from densehook.types import ScoredDoc

QRELS = {"q": {"a": 2, "b": 1, "c": 0, "d": -1}, "lost": {"a": 1}}
RUN = {"q": [ScoredDoc("d", 4.0), ScoredDoc("b", 3.0), ScoredDoc("a", 2.0), ScoredDoc("x", 1.0)]}


def of(measure: str) -> float:
    return measure_queries(RUN, QRELS, [measure])["q"][measure]


def test_names_are_ir_measures_own_once_each() -> None:
    assert check_measures(["MAP@100", "AP@100", "NDCG@10", "MRR", "P(rel=2)@5"]) == [
        "AP@100",
        "nDCG@10",
        "RR",
        "P(rel=2)@5",
    ]
    assert check_measures(DEFAULT_MEASURES) == list(DEFAULT_MEASURES)


@pytest.mark.parametrize(
    "name", ["F17", "nDCG@", "P(rel=two)@5", "nDCG(x=1)@10", "", "P", "nDCG@0", "P(rel=0)@5"]
)
def test_what_is_no_measure_is_refused_with_how_to_write_one(name: str) -> None:
    with pytest.raises(EvaluationError, match=r"no measure .* as nDCG@10, R@100, AP"):
        check_measures([name])


def test_a_measure_that_nothing_here_computes_is_refused() -> None:
    with pytest.raises(EvaluationError, match="nothing installed here computes it"):
        check_measures(["alpha_nDCG@10"])


def test_every_judged_query_has_a_value() -> None:
    found = measure_queries(RUN, QRELS, ["nDCG@10", "ERR@20", "Judged@10"])
    assert list(found) == ["q", "lost"]
    assert set(found["lost"].values()) == {0.0}
    assert found["q"]["Judged@10"] == 0.75
    assert set(measure_queries({}, QRELS, ["P@1", "RBP"])["q"].values()) == {0.0}


def test_expected_reciprocal_rank_is_chapelles_with_gdevals_highest_grade() -> None:
    # grades 0, 1, 2, 0: chances to satisfy of 0, 1/16, 3/16, 0
    assert of("ERR@20") == pytest.approx(1 / 2 * 1 / 16 + 1 / 3 * 15 / 16 * 3 / 16)
    assert of("ERR@2") == pytest.approx(1 / 32)


@pytest.mark.skipif(not shutil.which("perl"), reason="gdeval is a program of Perl")
def test_expected_reciprocal_rank_is_gdevals_own() -> None:
    chance = random.Random(4)
    ids = [f"d{n}" for n in range(30)]
    qrels = {
        str(query): {id_: chance.randint(-2, 4) for id_ in ids[:20]} | {"d0": 1}
        for query in range(1, 9)
    }
    run = {
        query: {id_: float(30 - n) for n, id_ in enumerate(chance.sample(ids, 25))}
        for query in qrels
    }
    ranked = {query: [ScoredDoc(*hit) for hit in hits.items()] for query, hits in run.items()}
    for cutoff in (3, 20):
        theirs = ir_measures.providers.registry["gdeval"].iter_calc(
            [ir_measures.ERR @ cutoff], qrels, run
        )
        ours = measure_queries(ranked, qrels, [f"ERR@{cutoff}"])
        assert {each.query_id: each.value for each in theirs} == {
            query: pytest.approx(values[f"ERR@{cutoff}"], abs=5.1e-6)
            for query, values in ours.items()
        }


def test_a_querys_value_does_not_hang_on_other_queries() -> None:
    names = ["ERR@20", "RBP", "RBP(rel=1)", "nDCG@10", "AP", "NumRel"]
    qrels = {"q": QRELS["q"], "high": {"a": 4}}
    assert (
        measure_queries(RUN, qrels, names)["q"]
        == measure_queries(RUN, {"q": QRELS["q"]}, names)["q"]
    )


def test_a_grade_that_gdeval_refuses_is_named() -> None:
    qrels = {"q": {"a": 1}, "r": {"b": 5}}
    with pytest.raises(EvaluationError, match=r"^ERR@5 is for grades up to 4.*'r' .* 'b' 5"):
        measure_queries(RUN, qrels, ["nDCG@10", "ERR@5"])
    assert measure_queries(RUN, qrels, ["nDCG@10"])["q"]["nDCG@10"] > 0


def test_rank_biased_precision_is_moffats_and_zobels() -> None:
    assert of("RBP") == pytest.approx(0.2 * (0.8 * 1 + 0.8**2 * 2))  # gains are grades
    assert of("RBP(p=0.5,rel=1)") == pytest.approx(0.5 * (0.5 + 0.25))
    assert of("RBP(p=0.5,rel=1)@2") == pytest.approx(0.25)


def test_a_query_of_negative_grades_is_measured_beside_others() -> None:
    qrels = {"spam": {"a": -1, "b": -2}, "q": {"c": 1}}
    run = {"spam": [ScoredDoc("a", 2.0), ScoredDoc("b", 1.0)], "q": [ScoredDoc("c", 1.0)]}
    names = ["nDCG@10", "Success@1", "IPrec@0.1", *JUDGED]
    found = measure_queries(run, qrels, names)
    assert found["spam"] == dict.fromkeys(names, 0.0) | {"Judged@10": 1.0}
    assert set(found["q"].values()) == {1.0}


def test_counts_are_summed_over_all_judged_queries() -> None:
    names = ["nDCG(judged_only=True)@10", "NumQ", "NumRet", "NumRel", "NumRel(rel=2)", "P@1"]
    values = measure_queries(RUN, QRELS, names)
    assert means(values, names[1:]) == {
        "NumQ": 2,
        "NumRet": 4,
        "NumRel": 3,
        "NumRel(rel=2)": 1,
        "P@1": 0,
    }


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("nDCG@10", ("ndcg_cut.10", ())),
        ("nDCG", ("ndcg", ())),
        ("AP@100", ("map_cut.100", ())),
        ("AP(rel=2)", ("map", ("-l", "2"))),
        ("RR@10", ("recip_rank", ("-M", "10"))),
        ("R@100", ("recall.100", ())),
        ("NumRet", ("num_ret", ())),
        ("NumRet(rel=2)", ("num_rel_ret", ("-l", "2"))),
        ("NumRel", ("num_rel", ())),
        ("NumRel(rel=2)", None),
        ("Judged@10", None),
        ("nDCG(judged_only=True)@10", None),
    ],
)
def test_measures_are_asked_of_trec_eval_in_its_words(measure: str, words: object) -> None:
    found = words_of(measure)
    assert (None if found is None else tuple(found)) == words


def test_unjudged_documents_that_decide_are_warned_of() -> None:
    queries = [f"q{n}" for n in range(12)]
    qrels = {query: {"a": 1, "c": 0} for query in queries}
    ids = {"late": ["c", "a"], "bare": ["x0", "x1", "x2", "a"], "same": ["c", "a"]}
    values = {
        name: measure_queries(
            {query: [ScoredDoc(id_, 9.0 - n) for n, id_ in enumerate(order)] for query in queries},
            qrels,
            JUDGED,
        )
        for name, order in ids.items()
    }
    assert judged_of(values["bare"]).share == 0.25
    (said,) = warnings(values, "late")
    assert said == (
        "by nDCG@10 bare is worse than late; where unjudged documents are left out of the lists,"
        " better than late. Of its first 10 hits 75% are unjudged, of late's 0%: judge them before"
        " you decide"
    )
    few = {name: dict(list(each.items())[:3]) for name, each in values.items()}
    assert warnings(few, "late") == []  # of so few queries nothing is sure
    assert warnings({"late": values["late"]}, "late") == []


def test_means_have_four_decimals() -> None:
    assert means({"a": {"P@1": 1.0}, "b": {"P@1": 0.0}, "c": {"P@1": 0.0}}, ["P@1"]) == {
        "P@1": 0.3333
    }
