# atlas: the tables of all studies under results/ -> results/atlas.html. Not part of a study: it has to be asked for.


rule atlas:
    input:
        # absolute, so that they are files like any other: no study is trained or compared again for this page
        lambda wildcards: [
            str(path.absolute()) for folder in studies.folders("results") for path in studies.sources(folder)
        ],
    output:
        "results/atlas.html",
    log:
        "results/logs/atlas.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        # studies and reports that have come or gone
        studies=lambda wildcards: canonical(
            {folder.name: (folder / studies.REPORT).is_file() for folder in studies.folders("results")}
        )(wildcards),
        code=code("atlas.py"),
        templates=fingerprint.content((SCRIPTS / "regatlas" / "report" / "atlas_page").iterdir()),
    shell:
        'python "$REGATLAS_SCRIPTS"/atlas.py --results results --out {output:q} > {log:q} 2>&1'
