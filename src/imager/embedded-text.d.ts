/** Files of targets/ and systemd/ that are embedded as text. */
declare module "*.asc" {
  const text: string;
  export default text;
}
declare module "*.dts" {
  const text: string;
  export default text;
}
declare module "*.service" {
  const text: string;
  export default text;
}
declare module "*.sh" {
  const text: string;
  export default text;
}
