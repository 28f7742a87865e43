# report: tables and figures -> results/<study>/report.html, with the resolved config beside it.
REPORT_SPEC = canonical(
    {
        **STUDY.config["report"],
        "config": STUDY.config,
        "dataset": STUDY.dataset.title,
        "baseline": STUDY.baseline,
        "methods": [
            {
                "id": m.id,
                "label": m.label,
                "color": m.color,
                "regularizer": m.regularizer,
                **{key: getattr(m.declaration, key) for key in ("title", "formula", "citation", "acts_on")},
                # of the first point, with the values of the selected one put in when the report is written
                "settings": m.points[0].settings["regularizer"]["settings"],
                "training": m.points[0].settings["training"],
                "network": m.points[0].settings["network"],
                "published": m.published,
                "points": len(m.points),
            }
            for m in STUDY.methods
        ],
    }
)


rule report:
    input:
        table=f"{RESULTS}/runs.csv",
        curves=f"{RESULTS}/curves.csv",
        comparison=f"{RESULTS}/comparison.csv",
        claims=CLAIMS,
        robustness=f"{RESULTS}/robustness.csv",
        tuning=f"{RESULTS}/tuning.csv",
        tables=[f"{RESULTS}/comparison.md", f"{RESULTS}/comparison.tex"],
        figures=[
            f"{FIGURES}/{name}.svg"
            for name in (
                *WEIGHT_IMAGES,
                "forest",
                "learning_curves",
                "accuracy",
                "runtime",
                "cost",
                "calibration",
                "robustness",
                "weight_spectrum",
                "weight_distribution",
                *(["strength_paths"] if STUDY.tuned else []),
                *(["data_sizes"] if families() else []),
            )
        ],
        numbers=[f"{FIGURES}/weight_spectrum.csv", f"{FIGURES}/weight_distribution.csv"],
        sprite=[f"{FIGURES}/weights_sprite.png", f"{FIGURES}/weights_sprite.json"],
    output:
        page=report(
            f"{RESULTS}/report.html",
            caption="../report/report.rst",
            category="Report",
            labels={"page": "the whole report"},
        ),
        config=report(
            f"{RESULTS}/config.yaml",
            caption="../report/config.rst",
            category="Report",
            labels={"page": "the configuration"},
        ),
    log:
        f"{RESULTS}/logs/report.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        spec=REPORT_SPEC,
        folder=lambda wildcards, input: os.path.dirname(input.figures[0]),
        code=code("report.py"),
        templates=fingerprint.content(
            path
            for path in (SCRIPTS / "regatlas" / "report").rglob("*")
            if path.suffix in (".j2", ".css", ".js") and "atlas_page" not in path.parts
        ),
    shell:
        'python "$REGATLAS_SCRIPTS"/report.py --spec {params.spec:q} --config-yaml {output.config:q} --table {input.table:q}'
        " --curves {input.curves:q} --comparison {input.comparison:q} --claims {input.claims:q}"
        " --robustness {input.robustness:q} --tuning {input.tuning:q} --figures {params.folder:q} --out {output.page:q}"
        " > {log:q} 2>&1"
