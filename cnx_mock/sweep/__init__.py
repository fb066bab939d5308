"""The fault sweep: a program run once for every fault at every call, and judged by what each run left behind."""
