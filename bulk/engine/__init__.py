"""Runs jobs: phases that can be resumed, units of work that are retried, a lease that is renewed.

    Runner --claims--> JobRun --units of work--> Executor (processes here, Ray tasks on a cluster)

Everything that takes memory or processor time happens in the executor's processes.
"""
