#!/usr/bin/env python3
"""Render the emoji of the demo model's concepts into sheet.png and sheet.json.

  apt-get install fonts-noto-color-emoji python3-pil python3-numpy
  python3 make_sheet.py --font /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf

The concepts and their glyphs are read from models/demo/train.py, and each glyph is cropped, centred and resized exactly
as train.py's World does, so that Go draws with the very pixels the model was trained on.
"""
import argparse, json, os, re
import numpy as np
from PIL import Image, ImageDraw, ImageFont

here = os.path.dirname(os.path.abspath(__file__))
CELL, PAD, COLUMNS = 128, 4, 10

ap = argparse.ArgumentParser()
ap.add_argument("--font", default="/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
ap.add_argument("--train", default=os.path.join(here, "..", "..", "models", "demo", "train.py"))
ap.add_argument("--out", default=here)
a = ap.parse_args()

block = re.search(r'CONCEPTS = """(.*?)"""', open(a.train, encoding="utf-8").read(), re.S).group(1)
font = ImageFont.truetype(a.font, 109)             # the only size of the font's bitmaps
cells, index = [], []
for name, glyphs in (x.split(":") for x in block.split()):
    index.append(dict(name=name.replace("_", " "), cells=list(range(len(cells), len(cells) + len(glyphs)))))
    for ch in glyphs:
        im = Image.new("RGBA", (136, 128), (0, 0, 0, 0))
        ImageDraw.Draw(im).text((0, 0), ch, font=font, embedded_color=True)
        im = im.crop(im.getchannel("A").getbbox())
        s = max(im.size)
        sq = Image.new("RGBA", (s, s), (0, 0, 0, 0))
        sq.paste(im, ((s - im.width) // 2, (s - im.height) // 2))
        px = np.array(sq.resize((CELL - 2 * PAD,) * 2, Image.BICUBIC))
        px[px[..., 3] == 0] = 0                    # invisible colours need not be stored
        cells.append(px)

sheet = np.zeros((-(-len(cells) // COLUMNS) * CELL, COLUMNS * CELL, 4), np.uint8)
for i, px in enumerate(cells):
    y, x = i // COLUMNS * CELL + PAD, i % COLUMNS * CELL + PAD
    sheet[y:y + CELL - 2 * PAD, x:x + CELL - 2 * PAD] = px
Image.fromarray(sheet).save(os.path.join(a.out, "sheet.png"), optimize=True)
with open(os.path.join(a.out, "sheet.json"), "w", encoding="utf-8") as f:
    head = json.dumps(dict(cell=CELL, columns=COLUMNS, count=len(cells)))[:-1]
    f.write(head + ', "concepts": [\n' + ",\n".join("  " + json.dumps(e) for e in index) + "\n]}\n")
