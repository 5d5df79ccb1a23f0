declare module "*.asc" {
  const text: string;
  export default text;
}
