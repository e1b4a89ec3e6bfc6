"""What monitors found: schedules and their runs, a run now, and a page about each.

All of it is read from the processing jobs of the runs and the report files that they left, which Model Monitor and the
portable analyzer write alike (developer guide, "Amazon SageMaker Model Monitor": statistics.json, constraints.json,
constraint_violations.json).
"""
