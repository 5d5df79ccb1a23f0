# Run as root in mount and UTS namespaces of its own: a machine of nobody's. Then the words are run in it.
set -eu
hostname laptop
for folder in /home /opt /mnt /usr/local/bin; do
    mount -t tmpfs -o mode=0755 tmpfs "$folder"
done
mkdir /home/pi /opt/berry
mount --rbind "$STAGE_HOME" /home/pi
mount --bind "$STAGE_PROGRAMS" /opt/berry
ln -s "/opt/berry/$STAGE_BERRY" /usr/local/bin/berry
exec "$@"
