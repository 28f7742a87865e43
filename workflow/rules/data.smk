# download: the raw files of the data set, verified by SHA-256.   prepare: one file of arrays.
# reference: what the runs are measured against, from the same data.
RAW = [f"{DATA}/raw/{file.name}" for file in STUDY.dataset.files]


rule download:
    output:
        RAW,
    log:
        f"results/logs/download/{STUDY.dataset.name}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=30,
    params:
        spec=canonical(STUDY.config["dataset"]),
        code=code("download.py"),
        folder=folder_of_output,
    shell:
        'python "$REGATLAS_SCRIPTS"/download.py --spec {params.spec:q} --out {params.folder:q} --log {log:q}'


rule prepare:
    input:
        RAW,
    output:
        f"{DATA}/prepared.npz",
    log:
        f"results/logs/prepare/{STUDY.dataset.name}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        spec=canonical(STUDY.config["dataset"]),
        code=code("prepare.py"),
        folder=lambda wildcards, input: os.path.dirname(input[0]),
    shell:
        'python "$REGATLAS_SCRIPTS"/prepare.py --spec {params.spec:q} --raw {params.folder:q} --out {output:q} > {log:q} 2>&1'


rule reference:
    input:
        data=lambda wildcards: [] if os.path.exists(REFERENCE) else f"{DATA}/prepared.npz",
    output:
        REFERENCE,
    log:
        f"results/logs/reference/{STUDY.dataset.name}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        data=f"{DATA}/prepared.npz",
    shell:
        'python "$REGATLAS_SCRIPTS"/reference.py --data {params.data:q} --out {output:q} > {log:q} 2>&1'
