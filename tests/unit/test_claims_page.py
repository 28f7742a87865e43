"""The page's section on the claims: what it shows, that nothing gets through it unescaped, and that it can be read."""

import re

import pytest
from claiming import SEEDS, evidence, study
from test_report import EVIL, Page, figure, frames, spec

from regatlas import decisions
from regatlas.claims import catalogue
from regatlas.claims.claim import VERDICTS
from regatlas.report import claimed, page

POST = {name: {"roughness": 0.3} for name in ("none", "gaussian", "l2", "weight_norm")}


def claims(*others, labels=None, methods=POST, **changes):
    own = study("post", {**methods, "dropout": {"roughness": 0.2, **changes}}, labels=labels)
    return catalogue.answered(evidence(own, *others))


def section(html):
    return re.search(r'<section id="claims".*?</section>', html, re.DOTALL)[0]


def render(folder, table):
    return page.render(spec(), *frames(), folder, claims=table)


def test_all_claims_are_shown_with_verdict_value_and_reason(tmp_path):
    table = claims()
    html = section(render(tmp_path, table))
    text = Page(html).text
    assert [int(number) for number in re.findall(r'<li id="claim-(\d+)">', html)] == list(range(1, 35))
    assert "34 claims of the post in its order" in text
    for row in table.to_dict("records"):
        assert row["why"] in text and row["quote"] in text and row["measured"] in text
        assert f"{claimed.SIGNS[row['verdict']]} {row['verdict']}" in text  # in words, not in colour alone
    assert "−0.100 [−0.100, −0.100] n = 5 seeds" in text  # noqa: RUF001
    assert "To decide it: snakemake --configfile config/mlp.yaml --cores 2" in text
    assert sum(len(group["claims"]) for group in claimed.shown(table)["verdicts"]) == 34
    assert sorted(int(number) for number in re.findall(r'href="#claim-(\d+)"', html)) == list(range(1, 35))


def test_every_verdict_has_a_sign_of_its_own():
    assert set(claimed.SIGNS) == set(VERDICTS) and len(set(claimed.SIGNS.values())) == len(VERDICTS)
    both = set(claimed.SIGNS) & set(decisions.SIGNS)
    assert both and all(claimed.SIGNS[word] == decisions.SIGNS[word] for word in both)


def test_the_numbers_change_with_the_runs(tmp_path):
    one, other = (Page(section(render(tmp_path, claims(roughness=value)))).text for value in (0.2, 0.4))
    assert "so the weights are smoother" in one and "so the weights are rougher" not in one
    assert "so the weights are rougher" in other


def test_a_study_that_departs_from_the_post_says_where(tmp_path):
    assert "not trained as the post" not in section(render(tmp_path, claims()))
    given = spec()
    given["config"]["training"] |= {"steps": 2000, "label_noise": 0.5}
    given["config"]["dataset"]["name"] = EVIL
    given["config"]["network"]["hidden"] = [400]
    html = section(page.render(given, *frames(), tmp_path, claims=claims()))
    said = "hidden 400 instead of none, steps 2,000 instead of 150,000 and label_noise 0.5 instead of 0"
    assert f"is not trained as the post\N{RIGHT SINGLE QUOTATION MARK}s was: dataset {EVIL}" in Page(html).text
    assert f"instead of mnist, {said}." in Page(html).text
    assert EVIL not in html


def test_the_command_that_brings_the_page_up_to_date_is_the_studys(tmp_path, monkeypatch):
    monkeypatch.setenv("REGATLAS_COMMAND", "snakemake --configfile mine.yaml")
    html = section(render(tmp_path, claims()))
    assert "<code>snakemake --configfile mine.yaml</code>\nthen brings this page up to date" in html


def test_links_lead_to_what_is_on_the_page(tmp_path):
    figure(tmp_path / "weights_own_scale_one_seed.svg")
    html = render(tmp_path, claims())
    parsed = Page(html)
    targets = {a["href"][1:] for tag, a in parsed.tags if tag == "a"}
    assert targets <= set(parsed.ids), targets - set(parsed.ids)
    assert "claim-34" in targets and "figure-weights_own_scale_one_seed" in targets
    assert "figure-weight_distribution" not in targets and len(parsed.ids) == len(set(parsed.ids))


def test_links_lead_to_the_reports_of_other_studies_that_were_used(tmp_path):
    ladder = study("ladder", {"loss_none": {}, "bias_none": {"test_accuracy": 0.931}})
    table = claims(ladder)
    html = section(page.render(spec(), *frames(), tmp_path, claims=table, reports=["ladder", "controls", "<b>"]))
    others = set(re.findall(r'href="(\.\./[^"]*)"', html))
    assert "../ladder/report.html#comparison" in others
    assert not [address for address in others if "ladder" not in address]  # the runs of controls were not used
    assert "the comparison of the study ladder" in Page(html).text
    assert "../" not in section(page.render(spec(), *frames(), tmp_path, claims=table))  # it has no report


def test_a_claim_that_was_not_measured_is_shown_nowhere():
    rows = {row["claim"]: row for row in claimed.shown(claims(), {"comparison", "methods"})["rows"]}
    assert rows[3]["verdict"] == "not measured" and rows[3]["links"] == []
    assert rows[11]["links"] == [("#methods", "what each method does")]


def test_a_study_without_claims_has_no_such_section(tmp_path):
    html = page.render(spec(story=""), *frames(), tmp_path)
    assert 'id="claims"' not in html and "#claims" not in html


@pytest.mark.parametrize("column", ["says", "quote", "measured", "why", "verdict", "unit", "shown", "commands"])
def test_hostile_text_is_escaped(tmp_path, column):
    table = claims()
    table[column] = EVIL
    html = section(render(tmp_path, table))
    assert "<script>" not in html and Page(html)


def test_hostile_labels_are_escaped(tmp_path):
    table = claims(labels=dict.fromkeys([*POST, "dropout"], EVIL), diverged=SEEDS[:1])
    html = section(render(tmp_path, table))
    assert "<script>" not in html and "&lt;script&gt;" in html and ">49<" not in html
