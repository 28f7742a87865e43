# Which batch system this is, in $system, and where jobs leave their exit codes, in $exits. The other scripts read this.
exits=results/logs/cluster
if command -v bsub > /dev/null; then
    system=lsf
elif command -v qsub > /dev/null && [ -n "${SGE_ROOT:-}" ]; then
    system=sge
elif command -v qsub > /dev/null; then
    system=pbs
elif command -v sbatch > /dev/null; then
    system=slurm
else
    echo "no batch system: none of bsub, qsub and sbatch is on the PATH; is this the machine where jobs are submitted?" >&2
    exit 1
fi
