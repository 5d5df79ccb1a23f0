# What people write themselves: python3 fand-loop.py TEMPERATURE-FILE PWM-FILE
import sys
import time

while True:
    with open(sys.argv[1]) as sensor:
        temperature = int(sensor.read()) / 1000
    duty = max(0, min(255, round((temperature - 45) / (72 - 45) * 255)))
    with open(sys.argv[2], "w") as fan:
        fan.write(str(duty))
    time.sleep(1)
