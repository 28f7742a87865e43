# download: the raw files of the data set, verified by SHA-256.   prepare: one file of arrays.
# reference: what the runs are measured against, from the same data.

# no parameter: where the files come from, and what they are called, changes nothing of what is in them
os.environ.update(REGATLAS_DATASET_CONFIG=canonical(STUDY.config["dataset"])(None))


rule download:
    input:
        if_forgotten(RAW[0]),
    output:
        # what is there and right is kept: the sources may not have it any more
        update(RAW),
    log:
        f"results/logs/download/{STUDY.dataset.name}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=30,
    params:
        files=canonical({file.name: file.sha256 for file in STUDY.dataset.files}),
        code=code("download.py"),
        folder=folder_of_output,
    shell:
        'python "$REGATLAS_SCRIPTS"/download.py --out {params.folder:q} --log {log:q}'
        ' --spec "$REGATLAS_DATASET_CONFIG"'


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
        checksum=DATA_CHECKSUM,
        code=code("prepare.py"),
        folder=lambda wildcards, input: os.path.dirname(input[0]),
    shell:
        'python "$REGATLAS_SCRIPTS"/prepare.py --raw {params.folder:q} --out {output:q}'
        ' --spec "$REGATLAS_DATASET_CONFIG" > {log:q} 2>&1'


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
        checksum=DATA_CHECKSUM,
    shell:
        'python "$REGATLAS_SCRIPTS"/reference.py --data {params.data:q} --checksum {params.checksum:q} --out {output:q} > {log:q} 2>&1'
