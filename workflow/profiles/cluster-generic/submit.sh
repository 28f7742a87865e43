#!/bin/sh
# submit.sh THREADS MEGABYTES MINUTES JOBSCRIPT: submit a job and print its id.
set -eu
. "$(dirname "$0")/system.sh"
threads=$1 megabytes=$2 minutes=$3 jobscript=$4
mkdir -p "$exits"
log=$PWD/$exits
# The exit code outlives the job, so status.sh needs no history of finished jobs, which many systems do not keep.
job=$jobscript.exit.sh
cat > "$job" << EOF
#!/bin/sh
id=\${PBS_JOBID:-\${LSB_JOBID:-\${SLURM_JOB_ID:-\${JOB_ID:-}}}}
cd '$PWD' || exit 1
sh '$jobscript'
code=\$?
echo \$code > "$exits/\$id.part" && mv "$exits/\$id.part" "$exits/\$id.exit"
exit \$code
EOF
chmod +x "$job"
# $CLUSTER_OPTIONS is several words. -V hands the environment on, as LSF and Slurm do by themselves.
# shellcheck disable=SC2086
case $system in
    pbs)
        id=$(qsub -V -N regatlas -l "select=1:ncpus=$threads:mem=${megabytes}mb" \
            -l "walltime=$((minutes / 60)):$((minutes % 60)):00" -j oe -o "$log/" ${CLUSTER_OPTIONS:-} "$job")
        ;;
    sge)
        # a parallel environment has a name of the site's own (`qconf -spl` lists them); memory is counted per slot
        id=$(qsub -V -terse -N regatlas -S /bin/sh -pe "${SGE_PE:-smp}" "$threads" \
            -l "h_vmem=$((megabytes / threads))M" -l "h_rt=$((minutes * 60))" -j y -o "$log/" ${CLUSTER_OPTIONS:-} "$job")
        ;;
    lsf)
        answer=$(bsub -J regatlas -n "$threads" -R "span[hosts=1] rusage[mem=${megabytes}MB]" -M "${megabytes}MB" \
            -W "$minutes" -o "$log/%J.log" ${CLUSTER_OPTIONS:-} "$job") # Job <12> is submitted to queue <normal>.
        id=${answer#*<}
        id=${id%%>*}
        ;;
    slurm)
        answer=$(sbatch --parsable --job-name=regatlas --ntasks=1 --cpus-per-task="$threads" --mem="${megabytes}M" \
            --time="$minutes" --output="$log/%j.log" ${CLUSTER_OPTIONS:-} "$job") # 12 or 12;cluster
        id=${answer%%;*}
        ;;
esac
echo "$id"
