"""The vocabulary of motion: 52 ARKit blendshapes and six head channels, in one fixed order.

Blendshape names and meanings are Apple's (ARKit, `ARFaceAnchor.BlendShapeLocation`); values lie in 0-1.
*Left* and *Right* are the subject's own, so `eyeBlinkLeft` closes the eye on the right of an unmirrored picture.

Head channels are relative to the pose in the portrait:

=========== ============= =====================================================
name        unit          positive values
=========== ============= =====================================================
headPitch   degrees       raise the chin (the face looks up)
headYaw     degrees       turn the face towards the right of the picture
headRoll    degrees       tilt the head clockwise as the viewer sees it
headX       eye distances move the head to the right of the picture
headY       eye distances move the head down in the picture
headZ       eye distances move the head towards the viewer
=========== ============= =====================================================

One eye distance is the distance between the centres of the eyes (about 63 mm on an adult).
"""

BLENDSHAPES = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
    "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight", "jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel",
    "mouthPucker", "mouthLeft", "mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft",
    "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight",
    "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft",
    "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft",
    "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
HEAD = ("headPitch", "headYaw", "headRoll", "headX", "headY", "headZ")
CHANNELS = BLENDSHAPES + HEAD
INDEX = {name: column for column, name in enumerate(CHANNELS)}

LIPS = tuple(name for name in BLENDSHAPES if name.startswith(("jaw", "mouth", "tongue")) or name == "cheekPuff")
EYES = tuple(name for name in BLENDSHAPES if name.startswith("eye"))
BROWS = tuple(name for name in BLENDSHAPES if name.startswith("brow"))
