"""The leak guard: columns that give the label away, knowledge of the future, copied test rows."""
