/** What happened, second by second. */
export interface Trace {
  /** Temperatures as they were measured, or loads in watts, for the model to warm up. */
  readonly kind: "celsius" | "watts";
  readonly seconds: number;
  readonly values: Float32Array;
}
