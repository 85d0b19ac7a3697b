#!/usr/bin/env bash
# Writes a partition of the sample, six orders of one day. To tell that it has landed:
# hippo trigger --table [= table | shell =] --partition dt=DAY
#
#   ./land-orders.sh [DAY]    [default: 2026-01-01]
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

day=${1:-2026-01-01}
if [[ ! $day =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}$ ]]; then
  echo "land-orders.sh: '$day' is not a day such as 2026-01-31" >&2
  exit 2
fi

folder=[= folder | shell =]/dt=$day
mkdir -p "$folder"
# A Parquet file of six rows, as DuckDB wrote it. A name that begins with "_" is not data: the file appears whole.
base64 -d >"$folder/_part-0" <<'PARQUET'
UEFSMRUAFTwVTiwVDBUAFQYVBgAAKLUv/SAe8QAAAgAAAAwBAQAAAAIAAAADAAAABAAAAAUAAAAGAAAAFQAVYBVQLBUMFQAVBhUGAAAotS/9ID
D9AACYAgAAAAwBAwAAAGJvYmV2ZWFkYQQAOAcAHmAHreULFQAVeBVQLBUMFQAVBhUGAAAotS/9IDz9AADAAgAAAAwBBAAAAG9zbG8GAAAAdGFp
cGVpAQAsco4BFQAVbBVeLBUMFQAVBhUGAAAotS/9IDY1AQDoAgAAAAwByQQAkgkAWw4AJBMA7RcAthwAAAAAAAAFFAACY4xxBBUCGVw1ABgNZH
Vja2RiX3NjaGVtYRUIABUCJQIYCG9yZGVyX2lkJSIAFQwlAhgIY3VzdG9tZXIlAAAVDCUCGARjaXR5JQAAFQQlAhgGYW1vdW50JQoVBBUULFwV
BBUUAAAAFgwZHBlMJgAcFQIZFQAZGAhvcmRlcl9pZBUMFgwWXhZwJgg8GAQGAAAAGAQBAAAAFgAoBAYAAAAYBAEAAAAREQAAACYAHBUMGRUAGR
gIY3VzdG9tZXIVDBYMFoIBFnImeDwYA2V2ZRgDYWRhFgAoA2V2ZRgDYWRhEREAAAAmABwVDBkVABkYBGNpdHkVDBYMFpoBFnIm6gE8GAZ0YWlw
ZWkYBG9zbG8WACgGdGFpcGVpGARvc2xvEREAAAAmABwVBBkVABkYBmFtb3VudBUMFgwWjgEWgAEm3AI8GAi2HAAAAAAAABgIyQQAAAAAAAAWAC
gIthwAAAAAAAAYCMkEAAAAAAAAEREAAAAWiAQWDCYIFtQDACgoRHVja0RCIHZlcnNpb24gdjEuNS42IChidWlsZCAwNjljYzlmOWI1KRlMHAAA
HAAAHAAAHAAAALABAABQQVIx
PARQUET
mv "$folder/_part-0" "$folder/part-0.parquet"
echo "written: $folder"
