/** Cluster files with something wrong, and every line that is said of them. */
export const brokenClusters: readonly (readonly [title: string, toml: string, lines: readonly string[]])[] = [
  [
    "a file that is empty",
    ``,
    [
      'berry.toml: cluster.name: missing; name the cluster, such as name = "berry"',
      "berry.toml: node: the cluster has no node; write [[node]], with two brackets on either side, and its name below it, once for each node",
      'berry.toml: user.name: missing; name the user that logs in, such as name = "pi"',
      "berry.toml: user: neither a password nor a public key, so nobody could log in; add password_file, password_hash or authorized_keys to [user]",
    ],
  ],
  [
    "an unknown table",
    `[cluster]
name = "berry"
[wlan]
ssid = "x"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ["berry.toml: wlan: unknown key; known keys are cluster, image, user, ssh, network, wifi, fan, node"],
  ],
  [
    "an unknown key at the top",
    `nodes = 3
[cluster]
name = "berry"

[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ["berry.toml: nodes: unknown key; did you mean node?"],
  ],
  [
    "a cluster without a name",
    `[cluster]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: cluster.name: missing; name the cluster, such as name = "berry"'],
  ],
  [
    "a cluster whose name is no label",
    `[cluster]
name = "My Cluster"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: cluster.name: not a host name, got "My Cluster"; use 1 to 63 lower-case letters, digits and hyphens, without a hyphen at either end',
    ],
  ],
  [
    "a table that is a value",
    `wifi = "home"
[cluster]
name = "berry"

[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: wifi: must be a table, got "home"; write [wifi] and its keys below it'],
  ],
  [
    "a single node in one pair of brackets",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[node]
name = "pi1"
`,
    [
      "berry.toml: node: must be a list of tables, got a table; write [[node]], with two brackets on either side, and its name below it, once for each node",
    ],
  ],
  [
    "a node without a name",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[[node]]
role = "node"
`,
    ['berry.toml: node[#1].name: missing; name the node, such as name = "pi1"'],
  ],
  [
    "a node in capitals",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "Pi1"
`,
    [
      'berry.toml: node[#1].name: not a host name, got "Pi1"; use 1 to 63 lower-case letters, digits and hyphens, without a hyphen at either end',
    ],
  ],
  [
    "a node called localhost",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "localhost"
`,
    [
      'berry.toml: node[#1].name: taken by every machine, got "localhost"; choose another name, such as "pi1"',
    ],
  ],
  [
    "two nodes of one name",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
[[node]]
name = "pi1"
`,
    ['berry.toml: node[#2].name: the name of another node, got "pi1"; give every node a name of its own'],
  ],
  [
    "a node that is no table",
    `node = ["pi1"]
[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
`,
    ['berry.toml: node[#1]: must be a table, got "pi1"; write [[node]] and its keys below it'],
  ],
  [
    "a misspelled key of a node",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
roll = "x"
`,
    ["berry.toml: node[pi1].roll: unknown key; did you mean role?"],
  ],
  [
    "a role of two words",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
role = "work horse"
`,
    [
      'berry.toml: node[pi1].role: not a role, got "work horse"; use one word of lower-case letters, digits and hyphens, such as "node"',
    ],
  ],
  [
    "a target of a node",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
image = { target = "debian-arm64" }
`,
    ["berry.toml: node[pi1].image.target: a cluster has one target; set it once, in the top [image]"],
  ],
  [
    "an output folder of a node",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
image = { output = "here" }
`,
    ["berry.toml: node[pi1].image.output: a cluster has one output folder; set it once, in the top [image]"],
  ],
  [
    "a misspelled key of the image",
    `[cluster]
name = "berry"
[image]
timezon = "UTC"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ["berry.toml: image.timezon: unknown key; did you mean timezone?"],
  ],
  [
    "a time zone that is misspelled",
    `[cluster]
name = "berry"
[image]
timezone = "Asia/Shangai"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.timezone: not a time zone, got "Asia/Shangai"; did you mean "Asia/Shanghai"?'],
  ],
  [
    "a time zone in small letters",
    `[cluster]
name = "berry"
[image]
timezone = "asia/shanghai"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.timezone: not a time zone, got "asia/shanghai"; did you mean "Asia/Shanghai"?'],
  ],
  [
    "a time zone that is a city alone",
    `[cluster]
name = "berry"
[image]
timezone = "Berlin"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.timezone: not a time zone, got "Berlin"; did you mean "Europe/Berlin"?'],
  ],
  [
    "a time zone that is an offset",
    `[cluster]
name = "berry"
[image]
timezone = "+08:00"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.timezone: not a time zone, got "+08:00"; use an IANA name, such as "Asia/Shanghai"; timedatectl list-timezones prints all',
    ],
  ],
  [
    "a locale without its character set",
    `[cluster]
name = "berry"
[image]
locale = "en_US"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.locale: not a locale, got "en_US"; did you mean "en_US.UTF-8"?'],
  ],
  [
    "a locale with utf8 in small letters",
    `[cluster]
name = "berry"
[image]
locales = ["de_DE.UTF-8", "zh_CN.utf8"]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.locales[#2]: not a locale, got "zh_CN.utf8"; did you mean "zh_CN.UTF-8"?'],
  ],
  [
    "a locale that is a language",
    `[cluster]
name = "berry"
[image]
locale = "english"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.locale: not a locale, got "english"; use ll_CC.CODESET, such as "en_US.UTF-8", or "C.UTF-8"',
    ],
  ],
  [
    "a keymap with a space",
    `[cluster]
name = "berry"
[image]
keymap = "de latin1"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.keymap: not a keymap, got "de latin1"; use a name such as "us" or "de-latin1"; localectl list-keymaps prints all',
    ],
  ],
  [
    "packages in one string",
    `[cluster]
name = "berry"
[image]
packages = "vim htop"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.packages: must be a list, got "vim htop"; write it between square brackets'],
  ],
  [
    "a package name with a space",
    `[cluster]
name = "berry"
[image]
packages = ["vim", "htop tmux"]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.packages[#2]: not a package name, got "htop tmux"; give one name for each package, such as packages = ["vim", "htop"]',
    ],
  ],
  [
    "a package that is a number",
    `[cluster]
name = "berry"
[image]
packages = ["vim", 7]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ["berry.toml: image.packages[#2]: must be a string, got 7; write it between quotes"],
  ],
  [
    "a unit with an unknown type",
    `[cluster]
name = "berry"
[image]
services = ["docker.servce"]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.services[#1]: no type of systemd unit, got "docker.servce"; did you mean "docker.service"?',
    ],
  ],
  [
    "a unit that is a path",
    `[cluster]
name = "berry"
[image]
services = ["/etc/x.service"]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.services[#1]: not a systemd unit, got "/etc/x.service"; use a name such as "docker.service"',
    ],
  ],
  [
    "a mirror without a scheme",
    `[cluster]
name = "berry"
[image]
mirror = "mirror.example/$arch/$repo"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.mirror: not the address of a mirror, got "mirror.example/$arch/$repo"; use one such as "http://mirror.archlinuxarm.org/$arch/$repo"',
    ],
  ],
  [
    "a margin without a unit",
    `[cluster]
name = "berry"
[image]
margin = 256
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.margin: a size without a unit, got 256; use a size such as "256MiB" or "1G"'],
  ],
  [
    "a margin in words",
    `[cluster]
name = "berry"
[image]
margin = "lots"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.margin: not a size, got "lots"; use a size such as "256MiB" or "1G"'],
  ],
  [
    "a margin beyond all cards",
    `[cluster]
name = "berry"
[image]
margin = "1025G"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.margin: an impossible size, got "1025G"; use something from 16MiB to 1T'],
  ],
  [
    "a target that is neither a name nor a path",
    `[cluster]
name = "berry"
[image]
target = "Arch Linux"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.target: neither the name of a target nor a path, got "Arch Linux"; use a name such as "archlinuxarm-rpi-aarch64", or a path such as "./mine.toml"',
    ],
  ],
  [
    "a target file that is not there",
    `[cluster]
name = "berry"
[image]
target = "mine.toml"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.target: no such file, got "mine.toml" (mine.toml); create it, or correct the path'],
  ],
  [
    "an output folder that is a file",
    `[cluster]
name = "berry"
[image]
output = "password"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.output: not a folder, got "password"; name a folder; it is made when it is missing'],
  ],
  [
    "a script that is not there",
    `[cluster]
name = "berry"
[image]
script = "setup.sh"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.script: no such file, got "setup.sh" (setup.sh); create it, or correct the path'],
  ],
  [
    "a script that is not executable",
    `[cluster]
name = "berry"
[image]
script = "password"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.script: the script is not executable, got "password"; chmod +x password'],
  ],
  [
    "a kernel word that says root",
    `[cluster]
name = "berry"
[image]
cmdline = ["quiet", "root=/dev/sda1"]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.cmdline[#2]: berry itself says where the root file system is, got "root=/dev/sda1"; leave root= out',
    ],
  ],
  [
    "two kernel words in one string",
    `[cluster]
name = "berry"
[image]
cmdline = ["quiet splash"]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.cmdline[#1]: not one word of the kernel\'s command line, got "quiet splash"; give every word a string of its own, in printable ASCII',
    ],
  ],
  [
    "a line break in config.txt",
    `[cluster]
name = "berry"
[image]
config_txt = ["arm_boost=1\\ndtparam=audio=on"]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.config_txt[#1]: not one line of config.txt, got "arm_boost=1\\ndtparam=audio=on"; give every line a string of its own',
    ],
  ],
  [
    "a line too long for config.txt",
    `[cluster]
name = "berry"
[image]
config_txt = ["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      "berry.toml: image.config_txt[#1]: too long for config.txt, got 99 characters; use at most 98 characters a line",
    ],
  ],
  [
    "a file with a mode that is a number",
    `[cluster]
name = "berry"
[image]
files = [{ source = "password", path = "/etc/motd", mode = 644 }]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.files[#1].mode: a mode must be a string, got 644; quote it: mode = "0644"'],
  ],
  [
    "a file with a mode that is no octal number",
    `[cluster]
name = "berry"
[image]
files = [{ source = "password", path = "/etc/motd", mode = "rw-r--r--" }]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.files[#1].mode: not permission bits, got "rw-r--r--"; use three or four octal digits, such as "0644"',
    ],
  ],
  [
    "a file with a relative path",
    `[cluster]
name = "berry"
[image]
files = [{ source = "password", path = "etc/motd" }]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.files[#1].path: not an absolute path, got "etc/motd"; start it with a slash: "/etc/motd"',
    ],
  ],
  [
    "a file that climbs",
    `[cluster]
name = "berry"
[image]
files = [{ source = "password", path = "/etc/../root/x" }]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.files[#1].path: a path with . or .. in it, got "/etc/../root/x"; write the path out'],
  ],
  [
    "a file in a folder of the kernel's",
    `[cluster]
name = "berry"
[image]
files = [{ source = "password", path = "/proc/x" }]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.files[#1].path: a folder that is empty again after every boot, got "/proc/x"; put the file somewhere else, such as /etc or /usr/local',
    ],
  ],
  [
    "a file without source and path",
    `[cluster]
name = "berry"
[image]
files = [{ mode = "0644" }]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      "berry.toml: image.files[#1].source: missing; name the file on this machine",
      "berry.toml: image.files[#1].path: missing; say where it goes in the image",
    ],
  ],
  [
    "a file whose source is a folder",
    `[cluster]
name = "berry"
[image]
files = [{ source = "folder", path = "/etc/motd" }]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.files[#1].source: a folder, not a file, got "folder" (folder); name a file in it'],
  ],
  [
    "two files for one path",
    `[cluster]
name = "berry"
[image]
files = [{ source = "password", path = "/etc/motd" }, { source = "script", path = "/etc/motd" }]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: image.files[#2].path: two files for one path, got "/etc/motd"; keep one of them'],
  ],
  [
    "a misspelled key of a file",
    `[cluster]
name = "berry"
[image]
files = [{ source = "password", path = "/etc/motd", ownr = "root" }]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ["berry.toml: image.files[#1].ownr: unknown key; did you mean owner?"],
  ],
  [
    "an owner that is no name",
    `[cluster]
name = "berry"
[image]
files = [{ source = "password", path = "/etc/motd", owner = "Me" }]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: image.files[#1].owner: neither a name nor a number, got "Me"; use 1 to 32 lower-case letters, digits, hyphens and underscores, with a letter first',
    ],
  ],
  [
    "no user",
    `[cluster]
name = "berry"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: user.name: missing; name the user that logs in, such as name = "pi"',
      "berry.toml: user: neither a password nor a public key, so nobody could log in; add password_file, password_hash or authorized_keys to [user]",
    ],
  ],
  [
    "root as the user",
    `[cluster]
name = "berry"
[user]
name = "root"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: user.name: root cannot be the user, got "root"; name an ordinary user; sudo = "no-password" gives it root\'s power',
    ],
  ],
  [
    "a system user",
    `[cluster]
name = "berry"
[user]
name = "daemon"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: user.name: a name of the system\'s own, got "daemon"; choose another name'],
  ],
  [
    "a user name in capitals",
    `[cluster]
name = "berry"
[user]
name = "Chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: user.name: not a user name, got "Chaney"; use 1 to 32 lower-case letters, digits, hyphens and underscores, with a letter first',
    ],
  ],
  [
    "a user who could not log in",
    `[cluster]
name = "berry"
[user]
name = "chaney"

[[node]]
name = "pi1"
`,
    [
      "berry.toml: user: neither a password nor a public key, so nobody could log in; add password_file, password_hash or authorized_keys to [user]",
    ],
  ],
  [
    "a password in the file",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password = "hunter22"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: user.password: secrets live in files of their own, never in this one; write it to a file that only you can read (chmod 600) and name that: password_file = "secret/password"',
    ],
  ],
  [
    "a password file that is not there",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "secret/pasword"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: user.password_file: no such file, got "secret/pasword" (secret/pasword); create it, or correct the path',
    ],
  ],
  [
    "an empty password file",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "empty"
[[node]]
name = "pi1"
`,
    ["berry.toml: user.password_file: the password file is empty; write the password into its first line"],
  ],
  [
    "a password file of two lines",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "two-lines"
[[node]]
name = "pi1"
`,
    [
      "berry.toml: user.password_file: the password file has more than one line; leave the password alone in it",
    ],
  ],
  [
    "a password with a NUL",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "nul"
[[node]]
name = "pi1"
`,
    ["berry.toml: user.password_file: the password holds a control character; save it as plain text"],
  ],
  [
    "a password file with Windows line ends",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "windows"
[[node]]
name = "pi1"
`,
    [
      "berry.toml: user.password_file: the password file has Windows line ends; save it with Unix line ends (dos2unix)",
    ],
  ],
  [
    "a password file that is no text",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "binary"
[[node]]
name = "pi1"
`,
    ['berry.toml: user.password_file: the file is not UTF-8 text, got "binary"; save it as plain text'],
  ],
  [
    "a password file that is a number",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = 12345678
[[node]]
name = "pi1"
`,
    ["berry.toml: user.password_file: must be a string; write it between quotes"],
  ],
  [
    "a password where its hash should be",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_hash = "hunter22"
[[node]]
name = "pi1"
`,
    [
      "berry.toml: user.password_hash: not a crypt hash, got 8 characters; make one with mkpasswd --method=yescrypt, or put the password into a file and name it with password_file",
    ],
  ],
  [
    "a hash by MD5",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_hash = "$1$abcdefgh$0123456789012345678901"
[[node]]
name = "pi1"
`,
    [
      "berry.toml: user.password_hash: a hash too weak to keep a password, got 34 characters; make another one: mkpasswd --method=yescrypt",
    ],
  ],
  [
    "a password and a hash of another one",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
password_hash = "$5$saltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
[[node]]
name = "pi1"
`,
    ["berry.toml: user.password_hash: a second password beside password_file; keep one of the two"],
  ],
  [
    "a group in capitals",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
groups = ["video", "GPIO"]
[[node]]
name = "pi1"
`,
    [
      'berry.toml: user.groups[#2]: not a group name, got "GPIO"; use 1 to 32 lower-case letters, digits, hyphens and underscores, with a letter first',
    ],
  ],
  [
    "sudo with a word of its own",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
sudo = "yes"
[[node]]
name = "pi1"
`,
    ['berry.toml: user.sudo: not one of the choices, got "yes"; use "password" or "no-password" or "none"'],
  ],
  [
    "a shell that is a name",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
shell = "zsh"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: user.shell: not the path of a shell, got "zsh"; use an absolute path in the image, such as "/bin/bash"',
    ],
  ],
  [
    "a key file that is not there",
    `[cluster]
name = "berry"
[user]
name = "chaney"
authorized_keys = ["id.pub"]
[[node]]
name = "pi1"
`,
    [
      'berry.toml: user.authorized_keys[#1]: no such file, got "id.pub" (id.pub); create it, or correct the path',
    ],
  ],
  [
    "a private key file",
    `[cluster]
name = "berry"
[user]
name = "chaney"
authorized_keys = ["private"]
[[node]]
name = "pi1"
`,
    [
      'berry.toml: user.authorized_keys[#1]: this is a private key, which must never leave your machine, got "private"; name the public key: the file beside it that ends in .pub',
    ],
  ],
  [
    "a private key itself",
    `[cluster]
name = "berry"
[user]
name = "chaney"
authorized_keys = ["""-----BEGIN OPENSSH PRIVATE KEY-----
c2VjcmV0
-----END OPENSSH PRIVATE KEY-----"""]
[[node]]
name = "pi1"
`,
    [
      "berry.toml: user.authorized_keys[#1]: this is a private key, which must never leave your machine; name the public key: the file beside it that ends in .pub",
    ],
  ],
  [
    "a public key that is cut short",
    `[cluster]
name = "berry"
[user]
name = "chaney"
authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOvhCZ3Nju93Mbg+n+ahG19n"]
[[node]]
name = "pi1"
`,
    [
      "berry.toml: user.authorized_keys[#1]: the ssh-ed25519 key is damaged or cut short; copy the whole line of the .pub file, from its type to its comment",
    ],
  ],
  [
    "a public key under another type's name",
    `[cluster]
name = "berry"
[user]
name = "chaney"
authorized_keys = ["ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIOvhCZ3Nju93Mbg+n+ahG19nT7BKB/TsqQx23lD4IAdi test@example"]
[[node]]
name = "pi1"
`,
    [
      "berry.toml: user.authorized_keys[#1]: the line says ssh-rsa, the key in it is of another type; copy the whole line of the .pub file, from its type to its comment",
    ],
  ],
  [
    "a DSA key",
    `[cluster]
name = "berry"
[user]
name = "chaney"
authorized_keys = ["ssh-dss AAAAB3NzaC1kc3M= me"]
[[node]]
name = "pi1"
`,
    [
      "berry.toml: user.authorized_keys[#1]: DSA keys are refused by sshd; make another one: ssh-keygen -t ed25519",
    ],
  ],
  [
    "a file without a key",
    `[cluster]
name = "berry"
[user]
name = "chaney"
authorized_keys = ["empty"]
[[node]]
name = "pi1"
`,
    [
      'berry.toml: user.authorized_keys[#1]: no public key in the file, got "empty"; name the .pub file of a key',
    ],
  ],
  [
    "a file that holds something else",
    `[cluster]
name = "berry"
[user]
name = "chaney"
authorized_keys = ["password"]
[[node]]
name = "pi1"
`,
    [
      'berry.toml: user.authorized_keys[#1]: not a public key, got "password"; copy the whole line of the .pub file, from its type to its comment',
    ],
  ],
  [
    "public keys alone without one",
    `[cluster]
name = "berry"
[ssh]
password_login = false
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      "berry.toml: ssh.password_login: without passwords and without a public key nobody could log in over ssh, got false; add authorized_keys to [user]",
    ],
  ],
  [
    "a boolean in quotes",
    `[cluster]
name = "berry"
[ssh]
password_login = "no"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: ssh.password_login: must be true or false, got "no"; write true or false, without quotes'],
  ],
  [
    "files that berry writes itself",
    `[cluster]
name = "berry"
[image]
files = [
  { source = "raw", path = "/etc/hostname" },
  { source = "raw", path = "/etc/fstab", secret = true },
  { source = "raw", path = "/etc/berry/fand.toml" },
  { source = "raw", path = "/etc/ssh/ssh_host_rsa_key" },
  { source = "raw", path = "/etc/ssh/sshd_config" },
  { source = "raw", path = "/etc/berry/node.toml" },
  { source = "raw", path = "/etc/prometheus/prometheus.yml" },
]
[ssh]
host_keys = false
[fan]
pin = 18
mode = "pwm"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
[[node]]
name = "pi2"
fan = false
role = "monitor"
`,
    [
      'berry.toml: image.files[#1].path: berry writes this file itself, got "/etc/hostname"; leave it out: it says how the node is called: name in [[node]]',
      'berry.toml: image.files[#2].path: berry writes this file itself, got "/etc/fstab"; leave it out: it says by which ids the node finds its partitions; there is no setting for it',
      'berry.toml: image.files[#3].path: berry writes this file itself, got "/etc/berry/fand.toml"; leave it out, or take away [fan], of which it comes',
      'berry.toml: image.files[#4].path: a host key that nodes would share, got "/etc/ssh/ssh_host_rsa_key"; name a folder with host_keys in [ssh], or write secret = true',
      'berry.toml: image.files[#6].path: berry writes this file itself, got "/etc/berry/node.toml"; leave it out: it says what the node is: role in [[node]]',
      'berry.toml: image.files[#7].path: berry writes this file itself, got "/etc/prometheus/prometheus.yml"; leave it out and change it on the node or by script in [image], or give the node another role',
    ],
  ],
  [
    "host keys in a file",
    `[cluster]
name = "berry"
[ssh]
host_keys = "password"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: ssh.host_keys: not a folder, got "password"; name a folder, which is made when it is missing, or write host_keys = false',
    ],
  ],
  [
    "host keys that are switched on",
    `[cluster]
name = "berry"
[ssh]
host_keys = true
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      "berry.toml: ssh.host_keys: neither a folder nor false, got true; name a folder between quotes, or write false",
    ],
  ],
  [
    "host keys in no folder",
    `[cluster]
name = "berry"
[ssh]
host_keys = ""
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: ssh.host_keys: an empty path, got ""; name what it leads to, relative to this file'],
  ],
  [
    "an address without its prefix length",
    `[cluster]
name = "berry"
[network]
address = "192.168.1.11"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: network.address: an address without its prefix length, got "192.168.1.11"; did you mean "192.168.1.11/24"?',
    ],
  ],
  [
    "an address that is none",
    `[cluster]
name = "berry"
[network]
address = ["192.168.1.256/24"]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: network.address[#1]: not an address with a prefix length, got "192.168.1.256/24"; use one such as "192.168.1.11/24"',
    ],
  ],
  [
    "the address of the network",
    `[cluster]
name = "berry"
[network]
address = "192.168.1.0/24"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: network.address: the address of the network itself, got "192.168.1.0/24"; give the node an address inside the network',
    ],
  ],
  [
    "the broadcast address",
    `[cluster]
name = "berry"
[network]
address = "192.168.1.255/24"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: network.address: the broadcast address of the network, got "192.168.1.255/24"; give the node an address inside the network',
    ],
  ],
  [
    "an IPv6 address that is a network",
    `[cluster]
name = "berry"
[network]
address = "2001:db8::/64"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: network.address: the address of the network itself, got "2001:db8::/64"; give the node an address inside the network',
    ],
  ],
  [
    "a loopback address",
    `[cluster]
name = "berry"
[network]
address = "127.0.0.1/8"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: network.address: a loopback address, got "127.0.0.1/8"; give the node an address of its own',
    ],
  ],
  [
    "a gateway outside of the network",
    `[cluster]
name = "berry"
[network]
address = "192.168.1.11/24"
gateway = "192.168.2.1"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: network.gateway: outside the network of 192.168.1.11/24, got "192.168.2.1"; name a router that the node can reach',
    ],
  ],
  [
    "a gateway that is the node",
    `[cluster]
name = "berry"
[network]
address = "192.168.1.11/24"
gateway = "192.168.1.11"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: network.gateway: the gateway is the node itself, got "192.168.1.11"; name the router'],
  ],
  [
    "a gateway without an address",
    `[cluster]
name = "berry"
[network]
gateway = "192.168.1.1"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: network.gateway: a gateway without an address, got "192.168.1.1"; give the node an address, or say address = [] in its network table and let DHCP bring the gateway',
    ],
  ],
  [
    "a name server by name",
    `[cluster]
name = "berry"
[network]
dns = ["dns.example"]
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: network.dns[#1]: not an address, got "dns.example"; use one such as "192.168.1.1"'],
  ],
  [
    "one address for two nodes",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
network = { address = "10.0.0.5/8" }
[[node]]
name = "pi2"
network = { address = "10.0.0.5/24" }
`,
    [
      'berry.toml: node[pi2].network.address: one address for 2 nodes (pi1, pi2), got "10.0.0.5/8"; give every node an address of its own',
    ],
  ],
  [
    "an address that all nodes share",
    `[cluster]
name = "berry"
[network]
address = "10.0.0.5/8"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
[[node]]
name = "pi2"
`,
    [
      'berry.toml: network.address: one address for 2 nodes (pi1, pi2), got "10.0.0.5/8"; give every node an address of its own',
    ],
  ],
  [
    "a passphrase in the file",
    `[cluster]
name = "berry"
[wifi]
ssid = "home"
country = "CN"
psk = "longenough"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: wifi.psk: secrets live in files of their own, never in this one; write it to a file that only you can read (chmod 600) and name that: psk_file = "secret/wifi"',
    ],
  ],
  [
    "a network without name, passphrase and country",
    `[cluster]
name = "berry"
[wifi]

[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: wifi.ssid: missing; give the name of the network: ssid = "home"',
      'berry.toml: wifi.country: missing; say where the node stands, so that the radio keeps to its rules: country = "CN"',
      'berry.toml: wifi.psk_file: missing; write the passphrase to a file and name that: psk_file = "secret/wifi"; or set security = "open"',
    ],
  ],
  [
    "a network whose name is too long",
    `[cluster]
name = "berry"
[wifi]
ssid = "üüüüüüüüüüüüüüüüü"
psk_file = "wifi"
country = "CN"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      "berry.toml: wifi.ssid: too long for the name of a network, got 34 bytes; use at most 32 bytes of UTF-8",
    ],
  ],
  [
    "a country in small letters",
    `[cluster]
name = "berry"
[wifi]
ssid = "home"
psk_file = "wifi"
country = "cn"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: wifi.country: not a country code, got "cn"; did you mean "CN"?'],
  ],
  [
    "a country by its name",
    `[cluster]
name = "berry"
[wifi]
ssid = "home"
psk_file = "wifi"
country = "China"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: wifi.country: not a country code, got "China"; use the two upper-case letters of ISO 3166, such as "CN" or "DE"',
    ],
  ],
  [
    "a misspelled key of the network",
    `[cluster]
name = "berry"
[wifi]
ssid = "home"
psk_file = "wifi"
contry = "CN"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ["berry.toml: wifi.contry: unknown key; did you mean country?"],
  ],
  [
    "a passphrase that is too short",
    `[cluster]
name = "berry"
[wifi]
ssid = "home"
country = "CN"
psk_file = "short"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      "berry.toml: wifi.psk_file: the passphrase has the wrong length, got 7 characters; use 8 to 63 characters, or a PSK of 64 hexadecimal digits",
    ],
  ],
  [
    "a passphrase with an umlaut",
    `[cluster]
name = "berry"
[wifi]
ssid = "home"
country = "CN"
psk_file = "umlaut"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      "berry.toml: wifi.psk_file: the passphrase holds something else than printable ASCII; WPA passphrases are printable ASCII; check the file",
    ],
  ],
  [
    "an empty passphrase file",
    `[cluster]
name = "berry"
[wifi]
ssid = "home"
country = "CN"
psk_file = "empty"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ["berry.toml: wifi.psk_file: the passphrase file is empty; write the passphrase into its first line"],
  ],
  [
    "an open network with a passphrase",
    `[cluster]
name = "berry"
[wifi]
ssid = "home"
country = "CN"
security = "open"
psk_file = "wifi"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: wifi.psk_file: an open network has no passphrase, got "wifi"; remove psk_file, or set security = "wpa2"',
    ],
  ],
  [
    "a security that is no more",
    `[cluster]
name = "berry"
[wifi]
ssid = "home"
country = "CN"
security = "wep"
psk_file = "wifi"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ['berry.toml: wifi.security: not one of the choices, got "wep"; use "wpa2" or "wpa3" or "open"'],
  ],
  [
    "wpa3 without leave to store the passphrase",
    `[cluster]
name = "berry"
[wifi]
ssid = "home"
country = "CN"
security = "wpa3"
psk_file = "wifi"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: wifi.store_passphrase: wpa3 needs the passphrase itself on the card, because SAE computes every handshake from it; agree with store_passphrase = true, or use security = "wpa2", which gets a derived key',
    ],
  ],
  [
    "wpa3 with a derived key",
    `[cluster]
name = "berry"
[wifi]
ssid = "home"
country = "CN"
security = "wpa3"
store_passphrase = true
psk_file = "raw"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    [
      'berry.toml: wifi.psk_file: wpa3 needs the passphrase itself, the file holds a derived PSK, got 64 hexadecimal digits; write the passphrase into it, or use security = "wpa2"',
    ],
  ],
  [
    "a node whose wifi is true",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
wifi = true
`,
    [
      "berry.toml: node[pi1].wifi: must be a table or false, got true; write { … }, or false to switch it off",
    ],
  ],
  [
    "a network of one node alone, without a country",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
wifi = { ssid = "home", psk_file = "wifi" }
`,
    [
      'berry.toml: node[pi1].wifi.country: missing; say where the node stands, so that the radio keeps to its rules: country = "CN"',
    ],
  ],
  [
    "a fan on a pin that is not there",
    `[cluster]
name = "berry"
[fan]
pin = 28
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ["berry.toml: fan.pin: too big, got 28; use 27 or less"],
  ],
  [
    "a fan on half a pin",
    `[cluster]
name = "berry"
[fan]
pin = 17.5
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
`,
    ["berry.toml: fan.pin: must be a whole number, got 17.5; write it without a fraction"],
  ],
  [
    "a fan mode that is misspelled",
    `[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
fan = { mode = "onoff" }
`,
    ['berry.toml: node[pi1].fan.mode: not one of the choices, got "onoff"; use "pwm" or "on-off"'],
  ],
  [
    "several problems at once",
    `[cluster]
name = "berry"
[image]
keymap = "a b"
[wifi]
ssid = ""
[[node]]
name = "pi1"
fan = { pin = -1 }
`,
    [
      'berry.toml: image.keymap: not a keymap, got "a b"; use a name such as "us" or "de-latin1"; localectl list-keymaps prints all',
      'berry.toml: wifi.ssid: no name of a network, got ""; give the name as the router announces it',
      'berry.toml: user.name: missing; name the user that logs in, such as name = "pi"',
      "berry.toml: user: neither a password nor a public key, so nobody could log in; add password_file, password_hash or authorized_keys to [user]",
      'berry.toml: wifi.country: missing; say where the node stands, so that the radio keeps to its rules: country = "CN"',
      'berry.toml: wifi.psk_file: missing; write the passphrase to a file and name that: psk_file = "secret/wifi"; or set security = "open"',
      "berry.toml: node[pi1].fan.pin: too small, got -1; use 0 or more",
    ],
  ],
  [
    "fans that their node's daemon would refuse",
    `[cluster]
name = "berry"
[fan]
pin = 17
curv = [[40, 0]]
[[fan.sensor]]
name = "probe"
[fan.limits]
override = 99
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
[[node]]
name = "pi2"
fan = { pin = 18, mode = "pwm", on = 60 }
[[node]]
name = "pi3"
fan = { fan = [{ name = "left", pin = 12, curve = [[50, 30], [40, 20]] }], pin = 4 }
`,
    [
      "berry.toml: fan.curv: unknown key; did you mean curve?",
      "berry.toml: fan.limits.override: too big, got 99; use 80 or less",
      'berry.toml: fan.sensor[probe]: a sensor without a source; add type = "cpu-thermal" (a thermal zone), hwmon = NAME, or file = PATH',
      'berry.toml: node[pi2].fan.on: has no meaning in mode pwm; remove it, or set mode = "on-off"',
      "berry.toml: node[pi3].fan.pin: a key of one fan, in a file with [[fan.fan]]; write it below its [[fan.fan]]",
      "berry.toml: node[pi3].fan.fan[left].curve[#2]: not above 50 °C, the point before, got 40; sort them by temperature",
    ],
  ],
  [
    "a node's fan that contradicts the cluster's",
    `[cluster]
name = "berry"
[fan]
mode = "on-off"
pin = 17
on = 60
off = 50
[fan.limits]
override = 99
calibration = 70
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
fan = { on = 40 }
[[node]]
name = "pi2"
fan = { limits = { calibration = 10 } }
`,
    [
      "berry.toml: node[pi1].fan.on: not above fan.off = 50, got 40; set off for this node, too, and leave a gap",
      "berry.toml: fan.limits.override: too big, got 99; use 80 or less",
      "berry.toml: node[pi2].fan.limits.calibration: too small, got 10; use 40 or more",
    ],
  ],
  [
    "a node's one fan where the cluster has several",
    `[cluster]
name = "berry"
[[fan.fan]]
name = "left"
pin = 12
[[fan.fan]]
name = "right"
pin = 13
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
fan = { pin = 18 }
`,
    [
      "berry.toml: node[pi1].fan.pin: a key of one fan, and [[fan.fan]] of the cluster lists several, got 18; list the fans of this node: [[node.fan.fan]], each with all of its keys",
    ],
  ],
  [
    "a fan mode that is misspelled for all, whose pin is judged when that is mended",
    `[cluster]
name = "berry"
[fan]
mode = "onoff"
pin = 17
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
[[node]]
name = "pi2"
`,
    ['berry.toml: fan.mode: not one of the choices, got "onoff"; use "pwm" or "on-off"'],
  ],
  [
    "fans that no line of config.txt reaches",
    `[cluster]
name = "berry"
[fan]
pin = 17
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
[[node]]
name = "pi2"
fan = { backend = "hwmon", pin = 18 }
[[node]]
name = "pi3"
fan = { fan = [{ name = "left", pin = 12 }, { name = "right", pin = 18 }] }
[[node]]
name = "pi4"
fan = { backend = "hwmon", pin = 4, mode = "on-off", inverted = true }
[[node]]
name = "pi5"
fan = { mode = "on-off" }
[[node]]
name = "pi6"
fan = { fan = [{ name = "left", pin = 4, mode = "on-off" }, { name = "right", pin = 5, mode = "on-off", backend = "hwmon" }] }
[[node]]
name = "pi7"
fan = { pin = 12 }
image = { config_txt = ["dtoverlay=pwm"] }
`,
    [
      'berry.toml: fan.pin: this GPIO has no PWM in hardware, got 17; use one of 12, 13, 18, 19, or mode = "on-off", or backend = "pigpio"',
      'berry.toml: node[pi2].fan.backend: no overlay gives the kernel\'s drivers PWM on this pin, got "hwmon"; leave backend out, or add an overlay to config_txt in [image], such as "dtoverlay=pwm-gpio-fan,fan_gpio=18"',
      "berry.toml: node[pi3].fan.fan[right].pin: the PWM channel of GPIO 12, got 18; two fans need one of 12 and 18, and one of 13 and 19",
      'berry.toml: node[pi4].fan.inverted: the kernel\'s gpio-fan driver knows no inversion; leave backend out, or use backend = "gpio"',
      'berry.toml: node[pi6].fan.fan[right].backend: the kernel\'s gpio-fan driver has another fan of this node, got "hwmon"; leave backend out, or use backend = "gpio"',
      "berry.toml: node[pi7].fan.pin: not a pin of the PWM overlay in config_txt, got 12; write dtoverlay=pwm-2chan with both pins there, or leave that line out",
    ],
  ],
  [
    "a fan that is no table",
    `fan = 18
[cluster]
name = "berry"
[user]
name = "chaney"
password_file = "password"
[[node]]
name = "pi1"
[[node]]
name = "pi2"
fan = 18
`,
    [
      "berry.toml: fan: must be a table, got 18; write [fan] and its keys below it",
      "berry.toml: node[pi2].fan: must be a table or false, got 18; write { … }, or false to switch it off",
    ],
  ],
];
