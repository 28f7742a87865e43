# sample: of the data what the claims look at.   claims: tables and runs -> results/<study>/claims.csv, of a study that
# tells the post's story.
# Other studies count as far as they have been run; what they have made is read and never made here.
CLAIMS = [f"{RESULTS}/claims.csv"] if STUDY.config["report"]["story"] == "post" else []


rule sample:
    input:
        data=lambda wildcards: [] if os.path.exists(SAMPLE) else f"{DATA}/prepared.npz",
    output:
        SAMPLE,
    log:
        f"results/logs/sample/{STUDY.dataset.name}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        data=f"{DATA}/prepared.npz",
        checksum=DATA_CHECKSUM,
    shell:
        'python "$REGATLAS_SCRIPTS"/sample.py --data {params.data:q} --checksum {params.checksum:q} --out {output:q} > {log:q} 2>&1'


rule claims:
    input:
        own=[f"{RESULTS}/{name}.csv" for name in ("runs", "curves", "comparison")],
        others=tables_of_other_studies,
        reference=REFERENCE,
        sample=SAMPLE,
    output:
        report(
            f"{RESULTS}/claims.csv",
            caption="../report/claims.rst",
            category="Tables",
            labels={"table": "the post's claims"},
        ),
    log:
        f"{RESULTS}/logs/claims.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        study=folder_of_output,
        others=other_studies,
        code=code("claims.py"),
    shell:
        'python "$REGATLAS_SCRIPTS"/claims.py --study {params.study:q} --others {params.others:q} --runs results/runs'
        " --sample {input.sample:q} --reference {input.reference:q} --out {output:q} > {log:q} 2>&1"
