# shellcheck shell=bash
# Sourced by the other sides, as root in a mount namespace: lets the host run arm64 programs by an entry of its own in
# binfmt_misc, $BINFMT_ENTRY, for as long as the run takes; other entries stay as they are.
# `forget_emulator` takes back exactly that; scripts/bench calls it once more, should a run have been killed.
binfmt=/proc/sys/fs/binfmt_misc

# F holds the interpreter open, so that nothing has to be copied into the image.
register_emulator() {
  [ -e "$binfmt/register" ] || mount -t binfmt_misc binfmt_misc "$binfmt"
  printf '%s' ":$BINFMT_ENTRY:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:$1:OCF" >"$binfmt/register"
}

forget_emulator() {
  [ -e "$binfmt/register" ] || mount -t binfmt_misc binfmt_misc "$binfmt"
  if [ -e "$binfmt/$BINFMT_ENTRY" ]; then echo -1 >"$binfmt/$BINFMT_ENTRY"; fi
}
