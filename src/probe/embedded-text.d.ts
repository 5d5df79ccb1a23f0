/** What Prometheus reads, which is embedded as text. */
declare module "*.yml" {
  const text: string;
  export default text;
}
