# collect: runs -> runs.csv, curves.csv, tuning.csv, robustness.csv, correct.npz.   compare: these -> comparison.csv, .md, .tex


rule collect:
    input:
        runs=run_files(),
        reference=REFERENCE,
        forgotten=if_forgotten(f"{RESULTS}/runs.csv"),
    output:
        table=report(
            f"{RESULTS}/runs.csv",
            caption="../report/runs.rst",
            category="Tables",
            labels={"table": "every run"},
        ),
        curves=report(
            f"{RESULTS}/curves.csv",
            caption="../report/curves.rst",
            category="Tables",
            labels={"table": "every evaluation"},
        ),
        tuning=report(
            f"{RESULTS}/tuning.csv",
            caption="../report/tuning.rst",
            category="Tables",
            labels={"table": "every point of the grids"},
        ),
        robustness=report(
            f"{RESULTS}/robustness.csv",
            caption="../report/robustness_table.rst",
            category="Tables",
            labels={"table": "accuracy on corrupted images"},
        ),
        correct=f"{RESULTS}/correct.npz",
    log:
        f"{RESULTS}/logs/collect.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        # by id, not in the table's order: changing the order touches no run
        spec=canonical(
            {
                "methods": sorted(
                    (
                        {
                            "id": m.id,
                            "regularizer": m.regularizer,
                            "grid": list(m.grid.items()),
                            "digests": [point.digest for point in m.points],
                        }
                        for m in STUDY.methods
                    ),
                    key=lambda entry: entry["id"],
                ),
                "seeds": sorted(STUDY.seeds),
            }
        ),
        partial=["--partial"] if PARTIAL else [],
        code=code("collect.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/collect.py --spec {params.spec:q} --runs results/runs --reference {input.reference:q}'
        " --table {output.table:q} --curves {output.curves:q} --tuning {output.tuning:q} --robustness {output.robustness:q}"
        " --correct {output.correct:q} {params.partial:q} > {log:q} 2>&1"


rule compare:
    input:
        table=f"{RESULTS}/runs.csv",
        correct=f"{RESULTS}/correct.npz",
    output:
        csv=report(
            f"{RESULTS}/comparison.csv",
            caption="../report/comparison.rst",
            category="Tables",
            labels={"table": "comparison of the methods"},
        ),
        markdown=report(
            f"{RESULTS}/comparison.md",
            caption="../report/comparison_text.rst",
            category="Tables",
            labels={"table": "comparison of the methods, in Markdown"},
        ),
        latex=report(
            f"{RESULTS}/comparison.tex",
            caption="../report/comparison_text.rst",
            category="Tables",
            labels={"table": "comparison of the methods, in LaTeX"},
        ),
    log:
        f"{RESULTS}/logs/compare.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        spec=canonical(
            {
                "statistics": STUDY.config["statistics"],
                "methods": [
                    {"id": m.id, "label": m.label, "published": m.published, "baseline": m.baseline}
                    for m in STUDY.methods
                ],
            }
        ),
        code=code("compare.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/compare.py --spec {params.spec:q} --table {input.table:q} --correct {input.correct:q}'
        " --csv {output.csv:q} --markdown {output.markdown:q} --latex {output.latex:q} > {log:q} 2>&1"
