# train: one method with one seed -> results/runs/<regularizer>/<digest>/seed-<seed>.npz
# The digest stands for everything the numbers depend on, the data's checksum included, so a run that exists is never
# trained again: not even prepared data that had to be fetched anew is an input of it.


rule train:
    input:
        data=data_of_a_missing_run,
    output:
        "results/runs/{regularizer}/{digest}/seed-{seed}.npz",
    log:
        "results/logs/train/{regularizer}/{digest}/seed-{seed}.log",
    wildcard_constraints:
        regularizer=r"\w+",
        digest="[0-9a-f]{16}",
        seed=r"\d+",
    cache: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        spec=train_spec,
        plugin=plugin,
        data=f"{DATA}/prepared.npz",
    shell:
        'python "$REGATLAS_SCRIPTS"/train.py --spec {params.spec:q} {params.plugin:q} --data {params.data:q}'
        " --threads {threads} --out {output:q} > {log:q} 2>&1"
