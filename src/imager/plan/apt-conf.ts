export interface DebianMirror {
  readonly url: string;
  /** null: the host knows none. */
  readonly securityUrl: string | null;
}

interface AptSource {
  readonly suite: string;
  readonly components: readonly string[];
  /** File of /usr/share/keyrings. */
  readonly keyring: string;
}

/** sources.list(5) for the bake: release, updates, and security where a mirror of it is known. */
export function sourcesList(source: AptSource, mirror: DebianMirror): string {
  const line = (url: string, suite: string): string =>
    `deb [signed-by=/usr/share/keyrings/${source.keyring}] ${url} ${suite} ${source.components.join(" ")}\n`;
  return [
    line(mirror.url, source.suite),
    line(mirror.url, `${source.suite}-updates`),
    ...(mirror.securityUrl === null ? [] : [line(mirror.securityUrl, `${source.suite}-security`)]),
  ].join("");
}

/** apt.conf(5) that makes the host's apt look at another tree, for another architecture, with nothing of the host's own configuration. */
export function aptConf(place: {
  root: string;
  temporary: string;
  shared: string;
  architecture: string;
}): string {
  const { root, temporary, shared, architecture } = place;
  return [
    `Dir "${root}";`,
    `Dir::Etc "${temporary}/etc";`,
    `Dir::Etc::sourcelist "${temporary}/sources.list";`,
    `Dir::Etc::sourceparts "/dev/null";`,
    `Dir::Cache "${shared}";`,
    // one layer's, as it tells what is installed there
    `Dir::Cache::pkgcache "${temporary}/pkgcache.bin";`,
    `Dir::Cache::srcpkgcache "${temporary}/srcpkgcache.bin";`,
    `Dir::State "${temporary}";`,
    `Dir::State::lists "${shared}/lists";`,
    `Dir::State::status "${root}/var/lib/dpkg/status";`,
    `Dir::State::extended_states "${root}/var/lib/apt/extended_states";`,
    `Dir::Log "${temporary}";`,
    `Dir::Bin::Methods "/usr/lib/apt/methods";`,
    `Dir::Bin::dpkg "/usr/bin/dpkg";`,
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    `APT::Install-Recommends "false";`,
    // the namespace has one user who may write to the cache: root
    `APT::Sandbox::User "root";`,
    `APT::Get::Assume-Yes "true";`,
    `Acquire::Languages "none";`,
    `Acquire::Retries "3";`,
    "",
  ].join("\n");
}
