#!/bin/sh
# status.sh ID: print running, success or failed.
set -u
. "$(dirname "$0")/system.sh"
id=$1

left() {
    ls "$exits" > /dev/null # a network file system then looks anew
    [ -e "$exits/$id.exit" ] || return 1
    if [ "$(cat "$exits/$id.exit")" = 0 ]; then
        rm -f "$exits/$id.exit" "$exits/$id.log"
        echo success
    else
        rm -f "$exits/$id.exit"
        echo failed
    fi
}

# Says whether the system has the job in its queue or on a node. A system that does not answer has not lost the job.
there() {
    case $system in
        pbs) answer=$(qstat "$id" 2>&1) ;;
        sge) answer=$(qstat -j "$id" 2>&1) ;;
        lsf) answer=$(bjobs -noheader -o stat "$id" 2>&1) ;;
        slurm) answer=$(squeue --noheader --format=%T --jobs="$id" 2>&1) ;;
    esac
    case $answer in
        "" | DONE* | EXIT* | COMPLETED* | FAILED* | CANCELLED* | TIMEOUT* | OUT_OF_MEMORY* | NODE_FAIL*) return 1 ;;
        *[Uu]nknown?[Jj]ob* | *"has finished"* | *"do not exist"* | *"is not found"* | *"Invalid job id"*) return 1 ;;
        *) return 0 ;;
    esac
}

left && exit
if there; then
    echo running
    exit
fi
sleep 5 # its exit code may be on its way
left || echo failed
