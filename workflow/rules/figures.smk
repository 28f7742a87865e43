# The figure rules: tables and runs -> results/<study>/figures/*.svg, the weight images as .png too, of two figures the numbers,
# and the sprite.
# Those that read runs have the table of runs as their input, not each of them: it is newer than any run in it.
SHOWN = {
    "methods": [{"id": m.id, "label": m.label, "color": m.color} for m in STUDY.methods],
    "baseline": STUDY.baseline,
    **{key: STUDY.config["figures"][key] for key in ("seed", "width", "dpi")},
}
FIGURE_SPEC = canonical(SHOWN)
WEIGHT_IMAGES = {
    "weights_shared_scale_one_seed": {"weights": "one seed", "scale": "one for all methods"},
    "weights_own_scale_one_seed": {"weights": "one seed", "scale": "each method its own"},
    "weights_shared_scale_mean": {"weights": "mean over seeds", "scale": "one for all methods"},
    "weights_own_scale_mean": {"weights": "mean over seeds", "scale": "each method its own"},
}


rule figure_weights:
    input:
        table=f"{RESULTS}/runs.csv",
        reference=REFERENCE,
    output:
        [figure(name, "Weight images", **labels) for name, labels in WEIGHT_IMAGES.items()],
        [f"{FIGURES}/{name}.png" for name in WEIGHT_IMAGES],
    log:
        f"{RESULTS}/logs/figure_weights.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        spec=FIGURE_SPEC,
        folder=folder_of_output,
        code=code("figure_weights.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/figure_weights.py --spec {params.spec:q} --table {input.table:q} --runs results/runs'
        " --reference {input.reference:q} --out {params.folder:q} > {log:q} 2>&1"


rule figure_curves:
    input:
        table=f"{RESULTS}/runs.csv",
        curves=f"{RESULTS}/curves.csv",
    output:
        figure("learning_curves", figure="learning curves"),
    log:
        f"{RESULTS}/logs/figure_curves.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        spec=FIGURE_SPEC,
        folder=folder_of_output,
        code=code("figure_curves.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/figure_curves.py --spec {params.spec:q} --table {input.table:q} --curves {input.curves:q}'
        " --out {params.folder:q} > {log:q} 2>&1"


rule figure_accuracy:
    input:
        table=f"{RESULTS}/runs.csv",
        comparison=f"{RESULTS}/comparison.csv",
    output:
        figure("accuracy", figure="accuracy of every seed"),
    log:
        f"{RESULTS}/logs/figure_accuracy.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        spec=FIGURE_SPEC,
        folder=folder_of_output,
        code=code("figure_accuracy.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/figure_accuracy.py --spec {params.spec:q} --table {input.table:q}'
        " --comparison {input.comparison:q} --out {params.folder:q} > {log:q} 2>&1"


rule figure_runtime:
    input:
        table=f"{RESULTS}/runs.csv",
        comparison=f"{RESULTS}/comparison.csv",
    output:
        figure("runtime", figure="relative runtimes"),
    log:
        f"{RESULTS}/logs/figure_runtime.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        spec=FIGURE_SPEC,
        folder=folder_of_output,
        code=code("figure_runtime.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/figure_runtime.py --spec {params.spec:q} --table {input.table:q}'
        " --comparison {input.comparison:q} --out {params.folder:q} > {log:q} 2>&1"


rule figure_distribution:
    input:
        table=f"{RESULTS}/runs.csv",
    output:
        figure("weight_distribution", figure="distribution of the weights"),
        f"{FIGURES}/weight_distribution.csv",
    log:
        f"{RESULTS}/logs/figure_distribution.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        spec=FIGURE_SPEC,
        folder=folder_of_output,
        code=code("figure_distribution.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/figure_distribution.py --spec {params.spec:q} --table {input.table:q} --runs results/runs'
        " --out {params.folder:q} > {log:q} 2>&1"


rule figure_paths:
    input:
        table=f"{RESULTS}/runs.csv",
    output:
        figure("strength_paths", figure="paths of the tuned settings"),
    log:
        f"{RESULTS}/logs/figure_paths.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        spec=FIGURE_SPEC,
        folder=folder_of_output,
        code=code("figure_paths.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/figure_paths.py --spec {params.spec:q} --table {input.table:q} --out {params.folder:q}'
        " > {log:q} 2>&1"


rule figure_forest:
    input:
        table=f"{RESULTS}/runs.csv",
        comparison=f"{RESULTS}/comparison.csv",
    output:
        figure("forest", figure="differences with intervals and margin"),
    log:
        f"{RESULTS}/logs/figure_forest.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        spec=canonical(SHOWN | STUDY.config["statistics"]),
        folder=folder_of_output,
        code=code("figure_forest.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/figure_forest.py --spec {params.spec:q} --table {input.table:q}'
        " --comparison {input.comparison:q} --out {params.folder:q} > {log:q} 2>&1"


rule figure_cost:
    input:
        table=f"{RESULTS}/runs.csv",
        comparison=f"{RESULTS}/comparison.csv",
    output:
        figure("cost", figure="time of a step against accuracy"),
    log:
        f"{RESULTS}/logs/figure_cost.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        spec=FIGURE_SPEC,
        folder=folder_of_output,
        code=code("figure_cost.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/figure_cost.py --spec {params.spec:q} --table {input.table:q}'
        " --comparison {input.comparison:q} --out {params.folder:q} > {log:q} 2>&1"


rule figure_calibration:
    input:
        table=f"{RESULTS}/runs.csv",
        reference=REFERENCE,
    output:
        figure("calibration", figure="calibration"),
    log:
        f"{RESULTS}/logs/figure_calibration.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        spec=FIGURE_SPEC,
        folder=folder_of_output,
        code=code("figure_calibration.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/figure_calibration.py --spec {params.spec:q} --table {input.table:q}'
        " --runs results/runs --reference {input.reference:q} --out {params.folder:q} > {log:q} 2>&1"


rule figure_sprite:
    input:
        table=f"{RESULTS}/runs.csv",
        reference=REFERENCE,
    output:
        figure("weight_spectrum", figure="power spectra of the weight images"),
        f"{FIGURES}/weight_spectrum.csv",
        f"{FIGURES}/weights_sprite.png",
        f"{FIGURES}/weights_sprite.json",
    log:
        f"{RESULTS}/logs/figure_sprite.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        spec=FIGURE_SPEC,
        folder=folder_of_output,
        code=code("figure_sprite.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/figure_sprite.py --spec {params.spec:q} --table {input.table:q}'
        " --runs results/runs --reference {input.reference:q} --out {params.folder:q} > {log:q} 2>&1"


rule figure_sizes:
    input:
        table=f"{RESULTS}/runs.csv",
    output:
        figure("data_sizes", figure="accuracy against the number of training images"),
    log:
        f"{RESULTS}/logs/figure_sizes.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        spec=FIGURE_SPEC,
        families=canonical(families()),
        folder=folder_of_output,
        code=code("figure_sizes.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/figure_sizes.py --spec {params.spec:q} --table {input.table:q}'
        " --families {params.families:q} --out {params.folder:q} > {log:q} 2>&1"


rule figure_robustness:
    input:
        table=f"{RESULTS}/runs.csv",
        robustness=f"{RESULTS}/robustness.csv",
    output:
        figure("robustness", figure="accuracy on corrupted images"),
    log:
        f"{RESULTS}/logs/figure_robustness.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        spec=FIGURE_SPEC,
        folder=folder_of_output,
        code=code("figure_robustness.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/figure_robustness.py --spec {params.spec:q} --table {input.table:q}'
        " --robustness {input.robustness:q} --out {params.folder:q} > {log:q} 2>&1"
