"""The closed loop: the pool takes its memory from the program, so a machine's size decides which page-outs happen."""
