// What the npm package pigpio finds as `bindings` (tsconfig.json, paths): its C++ addon cannot be loaded by Bun.
module.exports = () => require("./pigpio-addon-ffi.ts").pigpioAddon;
