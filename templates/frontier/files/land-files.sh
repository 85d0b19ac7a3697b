#!/usr/bin/env bash
# Lands a partition in the folder that the source watches, as a loader does: its file first, then the marker _SUCCESS.
# The same partition again lands again. In the folder's name a colon is %3A, as Hive and Spark write it.
#
#   ./land-files.sh[% for level in partition %] [= level.name =]=VALUE[% endfor %][% if partition.size > 0 %]    [default:[= sample_arguments =]][% endif %]
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
[% if partition.size > 0 %]
if [[ $# -eq 0 ]]; then set --[= sample_arguments =]; fi
form='^[% for level in partition %][= level.name =]=[A-Za-z0-9_.:+-]+[% unless forloop.last %] [% endunless %][% endfor %]$'
if [[ ! $* =~ $form ]]; then
  echo "land-files.sh: '$*' is not[% for level in partition %] [= level.name =]=VALUE[% endfor %]" >&2
  exit 2
fi
folder=data/landing/[= table | shell =]/$(IFS=/ && echo "${*//:/%3A}")
[%- else %]
folder=data/landing/[= table | shell =]
[%- endif %]

mkdir -p "$folder"
# Without a marker it is not announced: it may not be complete.
rm -f "$folder/_SUCCESS"
printf 'order_id,amount\n1,9.90\n2,12.50\n' >"$folder/part-0.csv"
touch "$folder/_SUCCESS"
echo "landed: $folder"
