#!/usr/bin/env bash
# A first round through the API of the `local` stack: a location, an item, a receipt, and the stock read back.
# Run it as often as you like: what exists already is left as it is, and the receipt is booked once.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
output() { npm run --silent pulumi -- stack output "$@" --stack local; }

url=$(output url)
output gatewayCaCertificate >"$folder/ca.pem"
# Files, not arguments: the key must not show in the list of processes.
(umask 077 && printf 'X-API-Key: %s\n' "$(output adminApiKey --show-secrets)" >"$folder/key")

# call <method> <path> [<body> [<curl option>...]]: prints the answer; 409 means that it was created before.
call() {
  local method=$1 path=$2 body=${3:-} status
  shift $(($# < 3 ? $# : 3))
  status=$(curl --silent --show-error --cacert "$folder/ca.pem" --request "$method" --header "@$folder/key" \
    ${body:+--header 'Content-Type: application/json' --data "$body"} "$@" \
    --output "$folder/answer" --write-out '%{http_code}' "$url$path")
  printf '%s %s -> %s\n' "$method" "$path" "$status"
  case $status in
    2*) cat "$folder/answer" && echo ;;
    409) echo "exists already" ;;
    *) cat "$folder/answer" >&2 && exit 1 ;;
  esac
}

call POST /api/v1/locations '{"code": "BERLIN-1", "name": "Berlin, hall 1"}'
call POST /api/v1/items \
  '{"sku": "BOLT-M8", "name": "Bolt M8 x 40", "category": "fasteners", "unit": "piece", "price": "0.35"}'
call POST /api/v1/movements \
  '{"kind": "receipt", "sku": "BOLT-M8", "destination": "BERLIN-1", "quantity": "25"}' \
  --header 'Idempotency-Key: first-steps-receipt'
call GET /api/v1/items/BOLT-M8/stock
