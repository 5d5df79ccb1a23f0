import { celsius } from "../units.ts";
import type { Celsius, Percent } from "../units.ts";

/**
 * A Pi as one heat capacity behind one thermal resistance: C·dT/dt = P − G·(T − ambient), G = still + airflow·duty.
 * The constants are those of a Pi 4 with a small heat sink and a 30 mm fan in an open case: 8 W hold it at 84 °C
 * without a fan and at 52 °C with one, with time constants of 150 and 69 seconds.
 */
export interface ThermalModel {
  readonly ambient: Celsius;
  /** J/K. */
  readonly capacity: number;
  /** W/K without a fan. */
  readonly stillConductance: number;
  /** W/K that full speed adds. */
  readonly airflowConductance: number;
  /** The sensor tells multiples of it, as that of the BCM2711 does. */
  readonly sensorStep: number;
  /** The sensor trembles by so many degrees to either side. */
  readonly sensorNoise: number;
}

export const pi4: ThermalModel = {
  ambient: celsius(25),
  capacity: 20.5,
  stillConductance: 0.136,
  airflowConductance: 0.16,
  sensorStep: 0.487,
  sensorNoise: 0.5,
};

/** Where a constant load and duty end. */
export function settled(model: ThermalModel, watts: number, duty: Percent): number {
  return model.ambient + watts / conductanceAt(model, duty);
}

/** The exact temperature after `seconds` of constant load and duty. */
export function warmed(
  model: ThermalModel,
  temperature: number,
  watts: number,
  duty: Percent,
  seconds: number,
): number {
  const end = settled(model, watts, duty);
  return end + (temperature - end) * Math.exp((-conductanceAt(model, duty) * seconds) / model.capacity);
}

function conductanceAt(model: ThermalModel, duty: Percent): number {
  return model.stillConductance + (model.airflowConductance * duty) / 100;
}

/** What the sensor tells of a temperature; `tremble` is −1 to 1. */
export function sensed(model: ThermalModel, temperature: number, tremble: number): Celsius {
  const trembling = temperature + model.sensorNoise * tremble;
  return celsius(Math.round(trembling / model.sensorStep) * model.sensorStep);
}

/** Numbers from −1 to 1, the same ones every time (Lehmer's generator). */
export function trembling(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state / 2_147_483_647) * 2 - 1;
  };
}
