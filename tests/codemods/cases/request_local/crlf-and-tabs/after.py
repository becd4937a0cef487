# slot: Agent._größe
class Agent:
	def __init__(self):
		pass

	def messen(self, wert):
		größe = {"wert": (
			wert,  # ein Maß
			"日本",
		)}
		try:
			return zeigen(größe, einheit="ä")
		finally:
			pass
