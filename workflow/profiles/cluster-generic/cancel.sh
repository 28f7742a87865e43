#!/bin/sh
# cancel.sh ID...: cancel jobs.
set -eu
. "$(dirname "$0")/system.sh"
case $system in
    pbs | sge) qdel "$@" ;;
    lsf) bkill "$@" ;;
    slurm) scancel "$@" ;;
esac
