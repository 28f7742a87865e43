#!/bin/sh
# Installs what the tests of the cluster need, on Debian and as root; elsewhere says what is missing.
set -eu
missing=
for program in slurmctld slurmd sbatch srun squeue munged; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" > /dev/null || missing="$missing $program"
done
[ -z "$missing" ] && exit
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "The tests of the cluster need these programs, which are not installed:$missing" >&2
    echo "As root on Debian or Ubuntu this command installs them; elsewhere install Slurm and munge yourself." >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends slurm-wlm munge > /dev/null
