# Like the real one it begins with an empty folder, so a second checkout never mixes with the first.
set -euo pipefail
target="$GITHUB_WORKSPACE/$TARGET"
mkdir -p "$target"
find "$target" -mindepth 1 -delete

if [[ "$REPOSITORY" == "$E2E_PRODUCT_NAME" ]]; then
  cp -R "$E2E_PRODUCT/." "$target"
elif [[ "$REPOSITORY" == "$GITHUB_REPOSITORY" ]]; then
  depth=()
  if [[ "$DEPTH" != 0 ]]; then depth=(--depth "$DEPTH"); fi
  git init --quiet "$target"
  git -C "$target" fetch --quiet --no-tags "${depth[@]}" "file://$E2E_CALLER" "${REF:-$GITHUB_SHA}"
  git -C "$target" -c advice.detachedHead=false checkout --quiet FETCH_HEAD
  echo "commit=$(git -C "$target" rev-parse HEAD)" >>"$GITHUB_OUTPUT"
else
  echo "::error::The stand-in of actions/checkout does not know the repository $REPOSITORY"
  exit 1
fi
