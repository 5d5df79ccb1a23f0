// What the npm package pigpio finds as `bindings` (tsconfig.json, paths): its C++ addon cannot be loaded by Bun.
const { pigpioAddon } = require("./pigpio-addon-ffi.ts");
module.exports = () => pigpioAddon;
