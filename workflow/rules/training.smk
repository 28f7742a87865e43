# train: one method with one seed -> results/runs/<regularizer>/<digest>/seed-<seed>.npz
# The digest stands for everything the numbers depend on, the data's checksum included, so a run that exists is never
# trained again: not even prepared data that had to be fetched anew is an input of it.


# no parameters: how often a state is saved, who looks on, and where things lie change no result
os.environ.update(
    REGATLAS_PREPARED=f"{DATA}/prepared.npz",
    REGATLAS_PLUGINS=canonical(plugins())(None),
    REGATLAS_CHECKPOINT_MINUTES=str(STUDY.config["training"]["checkpoint_minutes"]),
    REGATLAS_TENSORBOARD="--tensorboard" if STUDY.config["training"]["tensorboard"] else "",
)


rule train:
    input:
        data=needed_to_train,
    output:
        "results/runs/{regularizer}/{digest}/seed-{seed}.npz",
    log:
        "results/logs/train/{regularizer}/{digest}/seed-{seed}.log",
    wildcard_constraints:
        regularizer=r"[\w+]+",
        digest="[0-9a-f]{16}",
        seed=r"\d+",
    cache: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        # what needed more gets more when it is tried again (option --retries); its checkpoint is still there
        mem_mb=lambda wildcards, attempt: 1500 * attempt,
        runtime=minutes_to_train,
        # not a parameter: which seeds share a process changes no result
        also=trained_beside,
    params:
        spec=train_spec,
    shell:
        'python "$REGATLAS_SCRIPTS"/train.py --spec {params.spec:q}'
        ' --plugins "$REGATLAS_PLUGINS" --data "$REGATLAS_PREPARED"'
        ' --threads {threads} --checkpoint-minutes "$REGATLAS_CHECKPOINT_MINUTES" $REGATLAS_TENSORBOARD'
        " --out {output:q} --also {resources.also:q} > {log:q} 2>&1"


# A run's file that was cut short or altered after it was written, kept under another name.
rule set_aside:
    output:
        "results/runs/{regularizer}/{digest}/seed-{seed}.{time}.damaged",
    log:
        "results/logs/set_aside/{regularizer}/{digest}/seed-{seed}.{time}.log",
    wildcard_constraints:
        regularizer=r"[\w+]+",
        digest="[0-9a-f]{16}",
        seed=r"\d+",
        time=r"\d+",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        run="results/runs/{regularizer}/{digest}/seed-{seed}.npz",
    shell:
        'python "$REGATLAS_SCRIPTS"/set_aside.py --run {params.run:q} 2>&1 | tee {log:q}'
