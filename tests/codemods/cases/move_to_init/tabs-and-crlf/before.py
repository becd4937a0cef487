# slot: Coach.turns
class Coach:
	turns = []

	def __init__(self):
		self.x = 1
